/** What becomes of one parameter of a database URL. */
export interface UrlParameter {
  /** What is done with it, for a person. */
  readonly becomes: string;
  /** libpq's environment variable: read where the URL says nothing, and set for the client programs. */
  readonly variable?: string;
  /** libpq has no variable for it and it is no secret: the client programs get it as an argument. */
  readonly isArgument?: true;
  /** The values that can be kept; any other is refused. */
  readonly values?: readonly string[];
  /** A whole number. */
  readonly isNumber?: true;
  /** Another spelling of this parameter. */
  readonly alias?: string;
  /** Said to the operator where the URL has it, because it does less, or something else, than somebody may expect. */
  readonly note?: string;
  /** It can't be kept, and leaving it out would be wrong: refused, with what to do instead. */
  readonly refused?: string;
}
