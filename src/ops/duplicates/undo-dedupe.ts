import type { Connection } from '../../connection/connection.ts';
import {
  cancelOnAbort,
  inTransaction,
  liftTimeLimits,
  throwIfAborted,
  type WorkOptions,
} from '../../connection/session.ts';
import { countArchivedFills, type FillArchive, findFillArchive } from './archive.ts';
import { identityColumns, identityNames, isIdentified, isSameFill, knowsMostFirst } from './identity.ts';

/** What a run of `dedupe --undo` has done. */
export interface UndoDedupeResult {
  /** Rows that are back in `fills`. */
  readonly restoredRows: number;
  /** Rows that stay in the archive: the same execution is stored (or the same id), or their order or session is gone. */
  readonly archivedRows: number;
  /** The archive, with its schema; undefined where nothing was ever moved. */
  readonly archive: string | undefined;
}

/** Archived rows looked at in a transaction. */
const batchRows = 500;

/**
 * Brings archived fills back that collide with nothing: no row of `fills` has their id or is the same execution to the
 * unique index, and their order and session still exist. Of several archived copies one comes back. Each batch is one
 * transaction, so a row is in exactly one of the two tables at any moment; run it again after a crash.
 *
 * Rows of `fills` are locked by nothing but the insert itself.
 *
 * @throws OperationError `INTERRUPTED`, `PRIVILEGE_MISSING`, `REFUSED` where the archive has columns of other types
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { restoredRows, archivedRows } = await undoDedupeFills(connection);
 */
export async function undoDedupeFills(
  connection: Connection,
  { signal, onProgress }: WorkOptions = {},
): Promise<UndoDedupeResult> {
  const archive = await findFillArchive(connection);
  if (archive === undefined) return { restoredRows: 0, archivedRows: 0, archive: undefined };
  await using _limits = await liftTimeLimits(connection);
  using _cancel = cancelOnAbort(connection, { signal, onProgress });

  let restoredRows = 0;
  // Below every key, which identity columns count from 1.
  let after = 0;
  for (;;) {
    throwIfAborted(signal, `${restoredRows} rows are back`);
    const last = after;
    const batch = await inTransaction(connection, '', () => restoreBatch(connection, archive, last));
    if (batch === undefined) break;
    restoredRows += batch.restored;
    after = batch.lastId;
    onProgress?.(`${restoredRows} fills brought back`);
  }
  return {
    restoredRows,
    archivedRows: await countArchivedFills(connection, archive),
    archive: archive.table,
  };
}

async function restoreBatch(
  connection: Connection,
  archive: FillArchive,
  after: number,
): Promise<{ restored: number; lastId: number } | undefined> {
  const locked = await connection.query<{ id: number }>(
    `select archive_id as id from ${archive.table} where archive_id > $1 order by archive_id limit ${batchRows} for update`,
    [after],
  );
  const last = locked.at(-1);
  if (last === undefined) return undefined;
  const [row] = await connection.query<{ restored: number }>(
    `with archived as (
       select *, ${identityColumns}, (${isIdentified}) as identified
       from ${archive.table}
       where archive_id = any($1::bigint[])
     ),
     candidate as (
       select a.*,
              row_number() over (partition by id order by archive_id) as among_id,
              row_number() over (partition by ${identityNames} order by ${knowsMostFirst}, archive_id) as among_copies
       from archived as a
       where not exists (select from fills as f where f.id = a.id)
         and (a.orderid is null or exists (select from orders as o where o.id = a.orderid))
         and (a.sessionid is null or exists (select from sessions as s where s.id = a.sessionid))
         and not (a.identified and exists (
           -- By the plain columns first: an index on them finds the few rows that the key is then computed for.
           select from (
             select ${identityColumns} from fills as f
             where f.symbol = a.symbol and f."timestamp" = a."timestamp" and f.price = a.price
           ) as f
           where ${isSameFill('f', 'a')}
         ))
     ),
     back as (
       insert into fills (${archive.columns})
       select ${archive.columns} from candidate where among_id = 1 and (among_copies = 1 or not identified)
       on conflict do nothing
       returning id
     ),
     gone as (
       delete from ${archive.table} as t
       using candidate as c
       join back on back.id = c.id
       where t.archive_id = c.archive_id and c.among_id = 1 and (c.among_copies = 1 or not c.identified)
       returning 1
     )
     select count(*) as restored from gone`,
    [locked.map(({ id }) => id)],
  );
  return { restored: row?.restored ?? 0, lastId: last.id };
}
