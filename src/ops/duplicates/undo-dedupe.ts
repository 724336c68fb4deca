import type { Connection } from '../../connection/connection.ts';
import { cancelOnAbort, liftTimeLimits, throwIfAborted, type WorkOptions } from '../../connection/session.ts';
import { count } from '../../connection/units.ts';
import { countArchivedFills, findFillArchive } from './archive.ts';
import { findIncompleteRows, type IncompleteRows, restoreBatch } from './restore-batch.ts';
import { refuseHiddenRows } from './safety.ts';

/** What a run of `dedupe --undo` has done. */
export interface UndoDedupeResult {
  /** Rows that are back in `fills`. */
  readonly restoredRows: number;
  /**
   * Rows that stay in the archive: the same execution is stored (or the same id), their order or session is gone, or a
   * column that `fills` has got since must have a value.
   */
  readonly archivedRows: number;
  /** Those of them that lack a value which `fills` requires; undefined where there are none. */
  readonly incomplete: IncompleteRows | undefined;
  /** The archive, with its schema; undefined where nothing was ever moved. */
  readonly archive: string | undefined;
}

/**
 * Brings archived fills back that collide with nothing: no row of `fills` has their id or is the same execution to the
 * unique index, and their order and session still exist. Of several archived copies one comes back. Each batch is one
 * transaction, so a row is in exactly one of the two tables at any moment; run it again after a crash.
 *
 * Columns that `fills` has got since get what they gave the rows of that time: their default, the next number of an
 * identity. Generated ones are computed again. Rows of `fills` are locked by nothing but the insert itself.
 *
 * @throws OperationError `INTERRUPTED`, `PRIVILEGE_MISSING`, `REFUSED` where the archive has columns of other types, where
 *   row-level security may hide rows, or a trigger changes the id of a row that comes back
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { restoredRows, archivedRows } = await undoDedupeFills(connection);
 */
export async function undoDedupeFills(
  connection: Connection,
  { signal, onProgress }: WorkOptions = {},
): Promise<UndoDedupeResult> {
  const archive = await findFillArchive(connection);
  if (archive === undefined) {
    return { restoredRows: 0, archivedRows: 0, incomplete: undefined, archive: undefined };
  }
  await using _limits = await liftTimeLimits(connection);
  using _cancel = cancelOnAbort(connection, { signal, onProgress });
  for (const table of ['fills', archive.table]) await refuseHiddenRows(connection, table);

  let restoredRows = 0;
  // Below every key, which identity columns count from 1.
  let after = 0;
  for (;;) {
    throwIfAborted(signal, `${count(restoredRows, 'row is', 'rows are')} back`);
    const last = after;
    const batch = await restoreBatch(connection, archive, last);
    if (batch === undefined) break;
    restoredRows += batch.restored;
    after = batch.lastId;
    onProgress?.(`${count(restoredRows, 'fill', 'fills')} brought back`);
  }
  return {
    restoredRows,
    archivedRows: await countArchivedFills(connection, archive),
    incomplete: await findIncompleteRows(connection, archive),
    archive: archive.table,
  };
}
