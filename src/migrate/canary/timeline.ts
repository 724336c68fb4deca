/** The longest wait of each stretch of time, for a chart. */
export interface WaitTimeline {
  readonly startedAtMs: number;
  /** Length of a stretch. */
  readonly stepMs: number;
  /** In the order of time; null where nothing was measured. */
  readonly longestMs: readonly (number | null)[];
}

/** More points than that no chart can show; a run that needs more of them gets longer stretches. */
const mostPoints = 600;

/** Keeps the longest wait of each second; of a long run, of each two, four, … seconds. */
export class TimelineKeeper {
  readonly #startedAtMs: number;
  #stepMs = 1_000;
  #longest: (number | null)[] = [];

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  record(atMs: number, waitMs: number): void {
    const place = (): number => Math.max(0, Math.floor((atMs - this.#startedAtMs) / this.#stepMs));
    while (place() >= mostPoints) this.#halve();
    while (this.#longest.length <= place()) this.#longest.push(null);
    this.#longest[place()] = Math.max(this.#longest[place()] ?? 0, waitMs);
  }

  read(): WaitTimeline {
    return { startedAtMs: this.#startedAtMs, stepMs: this.#stepMs, longestMs: [...this.#longest] };
  }

  #halve(): void {
    const longer = (a: number | null, b: number | null): number | null =>
      a === null ? b : b === null ? a : Math.max(a, b);
    const halved: (number | null)[] = [];
    for (let at = 0; at < this.#longest.length; at += 2)
      halved.push(longer(this.#longest[at] ?? null, this.#longest[at + 1] ?? null));
    this.#longest = halved;
    this.#stepMs *= 2;
  }
}
