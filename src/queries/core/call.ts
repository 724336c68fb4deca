/** What every function takes beside its own options. */
export interface CallOptions {
  /**
   * Gives the call up as soon as it aborts: its reason is thrown, and nothing more is sent. A statement that is under way
   * is no longer waited for and goes on to its end on the server: what it would have given is dropped, and what it writes
   * is written. Where `timeoutMs` is given, too, the server ends it then at the latest, and what it wrote is rolled back.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * The most that the call may take, ms: 1 to 2,147,483,647; no limit unless given. The server itself stops a statement
   * that is not done then (by `statement_timeout`; a lower one of the role or the transaction still holds), and what it did
   * is rolled back: a `DatabaseError` with the code `statement_timeout`. In a transaction of the caller's that has then
   * failed, and has to be rolled back. A server that does not answer is waited for a
   * second longer: then the error has no `sqlState`, and whether the statement was done is not known.
   *
   * Costs a transaction around each statement, 3 more round trips; inside a transaction 2. On PGlite, which nothing can
   * interrupt, a statement ends first, and only the next one is refused. A driver without transactions (neon-http) can't
   * have it.
   */
  readonly timeoutMs?: number | undefined;
}

/** One call of a function: what its statements are held to. */
export interface Call {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  /** When it must be done, by the clock of this process. */
  readonly deadlineMs: number | undefined;
}

/** Where a handle carries the call that it was made for. */
export const callOf = Symbol('the call of multi-pair-db that a handle was made for');
