import type { Connection } from '../../connection/connection.ts';
import {
  cancelOnAbort,
  inTransaction,
  liftTimeLimits,
  throwIfAborted,
  type WorkOptions,
} from '../../connection/session.ts';
import { count } from '../../connection/units.ts';
import { countArchivedFills, ensureFillArchive, type FillArchive } from './archive.ts';
import { type Bounds, checkBounds } from './bounds.ts';
import { moveBatch } from './move-batch.ts';
import { refuseUnsafeDeletes } from './safety.ts';
import { type SurplusRow, surplusRows } from './surplus.ts';

/** What a run of `dedupe` has done. */
export interface DedupeResult {
  /** Rows that this run has moved. */
  readonly movedRows: number;
  /** Rows that are still too many. */
  readonly remainingRows: number;
  /** Those of them that are left because no venue's id proves them equal. Other sessions hold the rest. */
  readonly remainingRowsWithoutVenueId: number;
  /** The archive, with its schema. */
  readonly archive: string;
  /** All rows in it, those of earlier runs among them. */
  readonly archivedRows: number;
  /** What else happened for each batch, in words. */
  readonly warnings: readonly string[];
}

/** Rows a transaction: 500 take some ten milliseconds, so that no writer of these rows waits long. */
export const dedupeBatchRows: Bounds = { least: 1, most: 10_000, default: 500 };

/** How to move. */
export interface DedupeOptions extends WorkOptions {
  /** Rows a transaction; see `dedupeBatchRows`. */
  readonly batchRows?: number;
  /**
   * Moves also the rows that no venue's id proves to be the execution that stays (default false). Of two real fills that
   * are alike in all but their id, it archives one.
   */
  readonly withoutVenueId?: boolean;
}

/** A row that another session holds now may be free a moment later; one that it holds for long is left to the next run. */
const maxPasses = 5;
const pauseMs = 200;

/**
 * Moves the surplus copies of fills into `multi_pair_db.archived_fills`, each with the id of the row that stays, the
 * reason and the time. Nothing is deleted for good, orders and their totals are not touched, and a row is in exactly
 * one of the two tables at any moment, whatever happens: each batch is one transaction. Run it again after a crash.
 *
 * It moves the rows that the venue's id of the execution proves to be copies, and others only `withoutVenueId`.
 *
 * Safe while services write: a batch locks the rows it moves and the rows that stay, passes over what others hold,
 * and moves a row only if the one that stays is still there and still the same execution. Services that wait for a row
 * of a batch wait for some ten milliseconds.
 *
 * @throws OperationError `USAGE` where `batchRows` is out of bounds; `INTERRUPTED`; `PRIVILEGE_MISSING`; `REFUSED` where
 *   a foreign key, a trigger or a rule would do more than move the rows, where row-level security may hide some, or the
 *   archive has columns of other types
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { movedRows, remainingRows } = await dedupeFills(connection);
 */
export async function dedupeFills(
  connection: Connection,
  options: DedupeOptions = {},
): Promise<DedupeResult> {
  const batchRows = checkBounds('batchRows', options.batchRows, dedupeBatchRows);
  await using _limits = await liftTimeLimits(connection);
  using _cancel = cancelOnAbort(connection, options);
  const warnings = await refuseUnsafeDeletes(connection);
  const archive = await ensureFillArchive(connection);

  let movedRows = 0;
  let left: PassResult = { moved: 0, held: 0, unproven: 0 };
  for (let pass = 1; pass <= maxPasses; pass++) {
    if (pass > 1) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    left = await movePass(connection, archive, batchRows, options, movedRows);
    movedRows += left.moved;
    if (left.held === 0) break;
  }
  return {
    movedRows,
    remainingRows: left.held + left.unproven,
    remainingRowsWithoutVenueId: left.unproven,
    archive: archive.table,
    archivedRows: await countArchivedFills(connection, archive),
    warnings,
  };
}

interface PassResult {
  readonly moved: number;
  /** Left, because other sessions hold them or their kept rows. */
  readonly held: number;
  /** Left, because no venue's id proves them equal. */
  readonly unproven: number;
}

/** Goes through the surplus as it is now. The list is made once, on the server; each batch is checked again when it is moved. */
async function movePass(
  connection: Connection,
  archive: FillArchive,
  batchRows: number,
  { signal, onProgress, withoutVenueId = false }: DedupeOptions,
  movedBefore: number,
): Promise<PassResult> {
  await inTransaction(connection, '', () =>
    connection.execute(`declare surplus no scroll cursor with hold for ${surplusRows}`),
  );
  let wanted = 0;
  let unproven = 0;
  let moved = 0;
  try {
    for (;;) {
      throwIfAborted(signal, `${count(movedBefore + moved, 'row is', 'rows are')} moved`);
      const rows = await connection.query<SurplusRow>(`fetch ${batchRows} from surplus`);
      if (rows.length === 0) return { moved, held: wanted - moved, unproven };
      const batch = rows.filter(({ isProven }) => isProven || withoutVenueId);
      unproven += rows.length - batch.length;
      if (batch.length === 0) continue;
      wanted += batch.length;
      moved += await moveBatch(connection, archive, batch, withoutVenueId);
      onProgress?.(`${count(movedBefore + moved, 'surplus fill', 'surplus fills')} moved`);
    }
  } finally {
    // On a lost connection the cursor is gone already; the first error is the one to read.
    await connection.execute('close surplus').catch(() => {});
  }
}
