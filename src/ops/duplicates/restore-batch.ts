import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { inTransaction } from '../../connection/session.ts';
import { columnNames, type FillArchive } from './archive.ts';
import type { Column } from './columns.ts';
import { identityColumns, identityNames, isIdentified, isSameFill, knowsMostFirst } from './identity.ts';

/** Archived rows looked at in a transaction. */
const batchRows = 500;

/** What a column of `fills` gets for a row that has no value for it, where it may not be null; null where there is nothing. */
function valueForMissing({
  name,
  quoted,
  literal,
  isRequired,
  isIdentity,
  defaultValue,
}: Column): string | null {
  // An `id` is given by the service, whatever stands as its default.
  if (!isRequired || name === 'id') return quoted;
  if (isIdentity) return `coalesce(${quoted}, nextval(pg_get_serial_sequence('fills', ${literal})))`;
  return defaultValue === null ? null : `coalesce(${quoted}, ${defaultValue})`;
}

/** The columns that a row must bring along itself. */
const requiredColumns = ({ columns }: FillArchive): Column[] =>
  columns.filter((column) => valueForMissing(column) === null);

/** Archived rows that can't come back as they are. */
export interface IncompleteRows {
  readonly rows: number;
  /** Columns that are NOT NULL in `fills`, have no default there, and no value in these rows. */
  readonly columns: readonly string[];
}

/** The archived rows that lack a value which `fills` requires. */
export async function findIncompleteRows(
  connection: Connection,
  archive: FillArchive,
): Promise<IncompleteRows | undefined> {
  const required = requiredColumns(archive);
  if (required.length === 0) return undefined;
  const lacks = required.map(({ quoted }) => `${quoted} is null`);
  const named = required.map(({ literal }, at) => `case when bool_or(${lacks[at]}) then ${literal} end`);
  const [row] = await connection.query<IncompleteRows>(
    `select count(*) as rows, array_remove(array[${named.join(', ')}]::text[], null) as columns
     from ${archive.table}
     where ${lacks.join(' or ')}`,
  );
  return row === undefined || row.rows === 0 ? undefined : row;
}

/** What became of a batch: rows that are back, and the last `archive_id` that was looked at. */
export interface RestoredBatch {
  readonly restored: number;
  readonly lastId: number;
}

/** Brings back what can come back of the archived rows after `after`; undefined where there are none. */
export async function restoreBatch(
  connection: Connection,
  archive: FillArchive,
  after: number,
): Promise<RestoredBatch | undefined> {
  return inTransaction(connection, '', async () => {
    const locked = await connection.query<{ id: number }>(
      `select archive_id as id from ${archive.table} where archive_id > $1 order by archive_id limit ${batchRows} for update`,
      [after],
    );
    const last = locked.at(-1);
    if (last === undefined) return undefined;
    const [row] = await connection.query<{ inserted: number; removed: number }>(restoreStatement(archive), [
      locked.map(({ id }) => id),
    ]);
    const { inserted = 0, removed = 0 } = row ?? {};
    if (inserted !== removed) throw changedByTrigger(archive, inserted, removed);
    return { restored: removed, lastId: last.id };
  });
}

const restoreStatement = (archive: FillArchive): string => {
  const values = archive.columns.map((column) => valueForMissing(column) ?? column.quoted).join(', ');
  const complete = requiredColumns(archive).map(({ quoted }) => `and a.${quoted} is not null`);
  return `
    with archived as (
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
         ${complete.join(' ')}
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
       insert into fills (${columnNames(archive)})
       overriding system value
       select ${values} from candidate where among_id = 1 and (among_copies = 1 or not identified)
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
     select (select count(*) from back) as inserted, (select count(*) from gone) as removed`;
};

function changedByTrigger(archive: FillArchive, inserted: number, removed: number): OperationError {
  return new OperationError({
    code: 'REFUSED',
    message: `${inserted} rows came back into fills, of which ${removed} have their ids: a trigger of fills changes ids`,
    advice: `This batch was undone, so that no row stands in both tables. Disable that trigger, or the triggers of ${archive.table}, then run again.`,
  });
}
