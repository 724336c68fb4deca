import type { Connection } from '../../connection/connection.ts';
import {
  cancelOnAbort,
  inTransaction,
  liftTimeLimits,
  throwIfAborted,
  type WorkOptions,
} from '../../connection/session.ts';
import { columnNames, countArchivedFills, ensureFillArchive, type FillArchive } from './archive.ts';
import { type Bounds, checkBounds } from './bounds.ts';
import { identityColumns, isSameFill } from './identity.ts';
import { type SurplusRow, surplusRows } from './surplus.ts';

/** What a run of `dedupe` has done. */
export interface DedupeResult {
  /** Rows that this run has moved. */
  readonly movedRows: number;
  /** Rows that are still too many, because other sessions hold them or their kept row. */
  readonly remainingRows: number;
  /** The archive, with its schema. */
  readonly archive: string;
  /** All rows in it, those of earlier runs among them. */
  readonly archivedRows: number;
}

/** Rows a transaction: 500 take some ten milliseconds, so that no writer of these rows waits long. */
export const dedupeBatchRows: Bounds = { least: 1, most: 10_000, default: 500 };

/** How to move. */
export interface DedupeOptions extends WorkOptions {
  /** Rows a transaction; see `dedupeBatchRows`. */
  readonly batchRows?: number;
}

/** A row that another session holds now may be free a moment later; one that it holds for long is left to the next run. */
const maxPasses = 5;
const pauseMs = 200;

/**
 * Moves the surplus copies of fills into `multi_pair_db.archived_fills`, each with the id of the row that stays, the
 * reason and the time. Nothing is deleted for good, orders and their totals are not touched, and a row is in exactly
 * one of the two tables at any moment, whatever happens: each batch is one transaction. Run it again after a crash.
 *
 * Safe while services write: a batch locks the rows it moves and the rows that stay, passes over what others hold,
 * and moves a row only if the one that stays is still there and still the same execution. Services that wait for a row
 * of a batch wait for some ten milliseconds.
 *
 * @throws OperationError `USAGE` where `batchRows` is out of bounds; `INTERRUPTED`; `PRIVILEGE_MISSING`; `REFUSED` where
 *   the archive has columns of other types
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
  const archive = await ensureFillArchive(connection);

  let movedRows = 0;
  let remainingRows = 0;
  for (let pass = 1; pass <= maxPasses; pass++) {
    if (pass > 1) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const { seen, moved } = await movePass(connection, archive, batchRows, options, movedRows);
    movedRows += moved;
    remainingRows = seen - moved;
    if (remainingRows === 0) break;
  }
  return {
    movedRows,
    remainingRows,
    archive: archive.table,
    archivedRows: await countArchivedFills(connection, archive),
  };
}

/** Goes through the surplus as it is now. The list is made once, on the server; each batch is checked again when it is moved. */
async function movePass(
  connection: Connection,
  archive: FillArchive,
  batchRows: number,
  { signal, onProgress }: DedupeOptions,
  movedBefore: number,
): Promise<{ seen: number; moved: number }> {
  await inTransaction(connection, '', () =>
    connection.execute(`declare surplus no scroll cursor with hold for ${surplusRows}`),
  );
  let seen = 0;
  let moved = 0;
  try {
    for (;;) {
      throwIfAborted(signal, `${movedBefore + moved} rows are moved`);
      const batch = await connection.query<SurplusRow>(`fetch ${batchRows} from surplus`);
      if (batch.length === 0) return { seen, moved };
      seen += batch.length;
      moved += await inTransaction(connection, '', () => moveBatch(connection, archive, batch));
      onProgress?.(`${movedBefore + moved} surplus fills moved`);
    }
  } finally {
    // On a lost connection the cursor is gone already; the first error is the one to read.
    await connection.execute('close surplus').catch(() => {});
  }
}

/** The rows stay locked until the transaction ends, so what the second statement sees is what it moves. */
async function moveBatch(
  connection: Connection,
  archive: FillArchive,
  batch: readonly SurplusRow[],
): Promise<number> {
  const ids = [...new Set(batch.flatMap(({ surplusId, keptId }) => [surplusId, keptId]))];
  const locked = new Set(
    (
      await connection.query<{ id: string }>(
        'select id from fills where id = any($1::text[]) order by id for update skip locked',
        [ids],
      )
    ).map(({ id }) => id),
  );
  const free = batch.filter(({ surplusId, keptId }) => locked.has(surplusId) && locked.has(keptId));
  if (free.length === 0) return 0;
  const columns = columnNames(archive);
  const [row] = await connection.query<{ moved: number }>(
    `with pair as (
       select * from unnest($1::text[], $2::text[], $3::text[]) as p (surplus_id, archived_kept_id, archived_reason)
     ),
     moved as (
       delete from fills
       using pair
       cross join lateral (select ${identityColumns} from fills where id = pair.surplus_id) as surplus
       cross join lateral (select ${identityColumns} from fills where id = pair.archived_kept_id) as kept
       where fills.id = pair.surplus_id
         and pair.surplus_id <> pair.archived_kept_id
         and ${isSameFill('kept', 'surplus')}
       returning fills.*, pair.archived_kept_id, pair.archived_reason
     ),
     archived as (
       insert into ${archive.table} (${columns}, archived_kept_id, archived_reason)
       select ${columns}, archived_kept_id, archived_reason from moved
       returning 1
     )
     select count(*) as moved from archived`,
    [
      free.map(({ surplusId }) => surplusId),
      free.map(({ keptId }) => keptId),
      free.map(({ reason }) => reason),
    ],
  );
  return row?.moved ?? 0;
}
