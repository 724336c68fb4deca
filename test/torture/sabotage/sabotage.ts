/** A change of one text of the package: it has to be there, exactly once. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A fault of our own, planted in a copy of the package: the torture has to find it. */
export interface Sabotage {
  readonly name: string;
  /** What is wrong with the package then. */
  readonly plants: string;
  readonly changes: readonly Change[];
  /** Commands that lead to it, and faults that show it. */
  readonly commands: readonly string[];
  readonly faults: readonly string[];
  /** The moment that shows it, where it is one of the work. */
  readonly at?: string;
  /** What is said of it: whatever else is broken meanwhile does not show that it was found. */
  readonly shows: RegExp;
  /** By how many faults at the latest it has to be found. */
  readonly within: number;
}
