import { DatabaseError } from './errors.ts';

/** What became of one row that was to be saved. */
export interface SavedRow {
  /**
   * - `inserted`: there was no row with its id.
   * - `updated`: the columns that it gives are stored, and at least one of them was different before.
   * - `unchanged`: it says what is stored already.
   * - `stale`: what is stored, or another row of the call with its id, is newer by `lastUpdated`; nothing of it is stored.
   */
  readonly outcome: 'inserted' | 'updated' | 'unchanged' | 'stale';
  /** The id of the row. */
  readonly id: string;
}

/**
 * A batch was refused after others had been committed. `code` and all else say why; `saved` says what became of each row
 * that is done, at its place in the input, and undefined of those that are not stored.
 */
export class PartialSaveError extends DatabaseError {
  override readonly name = 'PartialSaveError';
  readonly saved: readonly (SavedRow | undefined)[];

  constructor(cause: DatabaseError, saved: readonly (SavedRow | undefined)[]) {
    const count = saved.filter((row) => row !== undefined).length;
    super(cause.query, {
      ...cause,
      message: `${cause.message}; ${count} of the ${saved.length} rows are saved all the same: error.saved says which`,
    });
    this.saved = saved;
  }
}
