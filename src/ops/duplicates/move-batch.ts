import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { inTransaction } from '../../connection/session.ts';
import { columnNames, type FillArchive } from './archive.ts';
import { identityColumns, isProven, isSameFill } from './identity.ts';
import { refuseUnsafeDeletes } from './safety.ts';
import type { SurplusRow } from './surplus.ts';

/**
 * Moves some surplus rows in one transaction, and says how many: those that nobody holds, whose kept row is still there
 * and still the same execution. After it each of them stands in the archive and no longer in `fills`, or nothing has
 * happened: triggers of others, on either table, can't make it otherwise.
 */
export async function moveBatch(
  connection: Connection,
  archive: FillArchive,
  batch: readonly SurplusRow[],
  withoutVenueId: boolean,
): Promise<number> {
  return inTransaction(connection, '', async () => {
    // The lock that a DELETE takes: a foreign key, a trigger or a rule made since the last look waits behind it.
    await connection.execute('lock table fills in row exclusive mode');
    await refuseUnsafeDeletes(connection);
    const free = await lockFreeRows(connection, batch);
    if (free.length === 0) return 0;
    const { deletedIds, archived } = await moveRows(connection, archive, free, withoutVenueId);
    await proveMoved(connection, archive, deletedIds, archived);
    return archived;
  });
}

/** The rows stay locked until the transaction ends, so what the next statement sees is what it moves. */
async function lockFreeRows(connection: Connection, batch: readonly SurplusRow[]): Promise<SurplusRow[]> {
  const ids = [...new Set(batch.flatMap(({ surplusId, keptId }) => [surplusId, keptId]))];
  const rows = await connection.query<{ id: string }>(
    'select id from fills where id = any($1::text[]) order by id for update skip locked',
    [ids],
  );
  const locked = new Set(rows.map(({ id }) => id));
  return batch.filter(({ surplusId, keptId }) => locked.has(surplusId) && locked.has(keptId));
}

interface Moved {
  readonly deletedIds: readonly string[];
  readonly archived: number;
}

async function moveRows(
  connection: Connection,
  archive: FillArchive,
  rows: readonly SurplusRow[],
  withoutVenueId: boolean,
): Promise<Moved> {
  const columns = columnNames(archive);
  const side = (id: string) => `(select tradeid, ${identityColumns} from fills where id = pair.${id})`;
  const proven = isProven(
    (column) => `kept.${column}`,
    (column) => `surplus.${column}`,
  );
  const [row] = await connection.query<Moved>(
    `with pair as (
       select * from unnest($1::text[], $2::text[], $3::text[]) as p (surplus_id, archived_kept_id, archived_reason)
     ),
     moved as (
       delete from fills
       using pair
       cross join lateral ${side('surplus_id')} as surplus
       cross join lateral ${side('archived_kept_id')} as kept
       where fills.id = pair.surplus_id
         and pair.surplus_id <> pair.archived_kept_id
         and ${isSameFill('kept', 'surplus')}
         and ($4::boolean or ${proven})
       returning fills.*, pair.archived_kept_id, pair.archived_reason
     ),
     archived as (
       insert into ${archive.table} (${columns}, archived_kept_id, archived_reason)
       select ${columns}, archived_kept_id, archived_reason from moved
       returning 1
     )
     select (select coalesce(array_agg(id), '{}') from moved) as "deletedIds",
            (select count(*) from archived) as archived`,
    [
      rows.map(({ surplusId }) => surplusId),
      rows.map(({ keptId }) => keptId),
      rows.map(({ reason }) => reason),
      withoutVenueId,
    ],
  );
  return row ?? { deletedIds: [], archived: 0 };
}

/**
 * A trigger on the archive may swallow a row, and a row that left `fills` may be put back: either would lose or double it.
 *
 * @throws OperationError `REFUSED`, which undoes the batch
 */
async function proveMoved(
  connection: Connection,
  archive: FillArchive,
  deletedIds: readonly string[],
  archived: number,
): Promise<void> {
  // What would fire at the commit fires now.
  await connection.execute('set constraints all immediate');
  const [row] = await connection.query<{ rows: number }>(
    'select count(*) as rows from fills where id = any($1::text[])',
    [deletedIds],
  );
  if (deletedIds.length === archived && row?.rows === 0) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `of ${deletedIds.length} rows that left fills, ${archived} arrived in ${archive.table} and ${row?.rows} came back: a trigger of another is at work`,
    advice: `This batch was undone. Disable the triggers and rules on ${archive.table}, then run again.`,
  });
}
