import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { inTransaction } from '../../connection/session.ts';

/** Where `dedupe` puts the surplus: the columns of `fills` as they are in this database, and why the row is here. */
const archiveTable = 'multi_pair_db.archived_fills';

/** The archive of a database, and what it shares with `fills`. */
export interface FillArchive {
  /** Its name with its schema, quoted for SQL. */
  readonly table: string;
  /** The columns of `fills`, quoted and comma-separated, in one order for both tables. */
  readonly columns: string;
}

const columnsOf = `
  select attname as name, format_type(atttypid, atttypmod) as type, quote_ident(attname) as quoted
  from pg_attribute
  where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
  order by attnum`;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly quoted: string;
}

async function isArchivePresent(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ present: boolean }>(
    'select to_regclass($1) is not null as present',
    [archiveTable],
  );
  return row?.present === true;
}

/** The archive as it is, or undefined where nothing was ever moved. */
export async function findFillArchive(connection: Connection): Promise<FillArchive | undefined> {
  if (!(await isArchivePresent(connection))) return undefined;
  const columns = await connection.query<Column>(columnsOf, ['fills']);
  await checkTypes(connection, columns);
  return { table: archiveTable, columns: columns.map(({ quoted }) => quoted).join(', ') };
}

/** Rows in it. */
export async function countArchivedFills(connection: Connection, archive: FillArchive): Promise<number> {
  const [row] = await connection.query<{ rows: number }>(`select count(*) as rows from ${archive.table}`);
  return row?.rows ?? 0;
}

/**
 * Makes the archive, or gives it the columns that `fills` has got since. It has no foreign keys: an order may go and
 * its archived fills stay. It has a key of its own, because a service may store a fill under an archived row's id again.
 */
export async function ensureFillArchive(connection: Connection): Promise<FillArchive> {
  await inTransaction(connection, '', async () => {
    // `if not exists` alone fails where two runs create it at the same moment.
    await connection.query("select pg_advisory_xact_lock(hashtextextended('multi-pair-db archive', 0))");
    await connection.execute('create schema if not exists multi_pair_db');
    await connection.execute(`
      create table if not exists ${archiveTable} (
        like fills,
        archive_id bigint generated always as identity primary key,
        archived_at timestamptz not null default now(),
        archived_reason text not null,
        archived_kept_id text not null
      )`);
    const missing = await connection.query<Column>(
      `select f.* from (${columnsOf}) as f
       where not exists (
         select from pg_attribute as a
         where a.attrelid = $2::regclass and a.attname = f.name and not a.attisdropped)`,
      ['fills', archiveTable],
    );
    for (const { quoted, type } of missing) {
      await connection.execute(`alter table ${archiveTable} add column ${quoted} ${type}`);
    }
  });
  const archive = await findFillArchive(connection);
  if (archive === undefined) throw new Error(`${archiveTable} was created in a transaction that committed`);
  return archive;
}

async function checkTypes(connection: Connection, columns: readonly Column[]): Promise<void> {
  const archived = new Map(
    (await connection.query<Column>(columnsOf, [archiveTable])).map(({ name, type }) => [name, type]),
  );
  const faults = columns
    .filter(({ name, type }) => archived.has(name) && archived.get(name) !== type)
    .map(({ name, type }) => `${name} is ${archived.get(name)} there and ${type} in fills`);
  if (faults.length === 0) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `${archiveTable} has other columns than fills: ${faults.join('; ')}`,
    advice: `Nothing was moved. Rename ${archiveTable}, or give its columns the types of fills, then run again.`,
  });
}
