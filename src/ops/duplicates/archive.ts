import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { inTransaction } from '../../connection/session.ts';
import { keepOwnerOfFills } from './archive-owner.ts';
import { type Column, listColumns } from './columns.ts';

/** Where `dedupe` puts the surplus: the columns of `fills` as they are in this database, and why the row is here. */
const archiveTable = 'multi_pair_db.archived_fills';

/** What the archive has beside the columns of `fills`. */
const ownColumns: Readonly<Record<string, string>> = {
  archive_id: 'bigint generated always as identity primary key',
  archived_at: 'timestamptz not null default now()',
  archived_reason: 'text not null',
  archived_kept_id: 'text not null',
};

/** The archive of a database, and what it shares with `fills`. */
export interface FillArchive {
  /** Its name with its schema, quoted for SQL. */
  readonly table: string;
  /** The columns of `fills` that can be written, all of which the archive has too. */
  readonly columns: readonly Column[];
}

/** The columns, quoted and comma-separated, in one order for both tables. */
export const columnNames = ({ columns }: FillArchive): string =>
  columns.map(({ quoted }) => quoted).join(', ');

/** The archive as it is, with the columns that `fills` has got since; undefined where nothing was ever moved. */
export async function findFillArchive(connection: Connection): Promise<FillArchive | undefined> {
  const [row] = await connection.query<{ present: boolean }>(
    'select to_regclass($1) is not null as present',
    [archiveTable],
  );
  if (row?.present !== true) return undefined;
  return inTransaction(connection, '', () => adaptArchive(connection));
}

/** Rows in it. */
export async function countArchivedFills(connection: Connection, archive: FillArchive): Promise<number> {
  const [row] = await connection.query<{ rows: number }>(`select count(*) as rows from ${archive.table}`);
  return row?.rows ?? 0;
}

/**
 * Makes the archive, or gives it the columns that `fills` has got since. It has no foreign keys: an order may go and
 * its archived fills stay. It has a key of its own, because a service may store a fill under an archived row's id again.
 * Nothing of a fill is NOT NULL in it: a column that `fills` drops one day would keep every later row out.
 */
export async function ensureFillArchive(connection: Connection): Promise<FillArchive> {
  return inTransaction(connection, '', async () => {
    // `if not exists` alone fails where two runs create it at the same moment.
    await connection.query("select pg_advisory_xact_lock(hashtextextended('multi-pair-db archive', 0))");
    const [schema] = await connection.query<{ present: boolean }>(
      "select to_regnamespace('multi_pair_db') is not null as present",
    );
    const isNewSchema = schema?.present !== true;
    // Only where it is missing: `if not exists` asks for a privilege on the database also where it is there.
    if (isNewSchema) await connection.execute('create schema multi_pair_db');
    const columns = (await listColumns(connection, 'fills')).map(defineColumn);
    const own = Object.entries(ownColumns).map(([name, definition]) => `${name} ${definition}`);
    await connection.execute(
      `create table if not exists ${archiveTable} (${[...columns, ...own].join(', ')})`,
    );
    await keepOwnerOfFills(connection, archiveTable, isNewSchema);
    return adaptArchive(connection);
  });
}

const defineColumn = ({ quoted, type, collation }: Column): string =>
  `${quoted} ${type}${collation === '' ? '' : ` collate ${collation}`}`;

/**
 * Adds what `fills` has got since. The rows that are here already get what the rows got that were in `fills` when the
 * column was added. Not the default of today: it may have been set later, and they never had it.
 */
async function adaptArchive(connection: Connection): Promise<FillArchive> {
  const columns = await listColumns(connection, 'fills');
  const archived = await listColumns(connection, archiveTable);
  checkTypes(columns, archived);
  const names = new Set(archived.map(({ name }) => name));
  for (const column of columns.filter(({ name }) => !names.has(name))) {
    const { valueOfOlderRows } = column;
    const alter = `alter table ${archiveTable}`;
    const standard = valueOfOlderRows === null ? '' : ` default ${valueOfOlderRows}`;
    await connection.execute(`${alter} add column ${defineColumn(column)}${standard}`);
    if (standard !== '') await connection.execute(`${alter} alter column ${column.quoted} drop default`);
  }
  // An archive of an earlier version was made `like fills`, with its NOT NULL.
  for (const { name, quoted, isRequired } of archived) {
    if (isRequired && !Object.hasOwn(ownColumns, name)) {
      await connection.execute(`alter table ${archiveTable} alter column ${quoted} drop not null`);
    }
  }
  return { table: archiveTable, columns };
}

function checkTypes(columns: readonly Column[], archived: readonly Column[]): void {
  const types = new Map(archived.map(({ name, type }) => [name, type]));
  const faults = columns
    .filter(({ name, type }) => types.has(name) && types.get(name) !== type)
    .map(({ name, type }) => `${name} is ${types.get(name)} there and ${type} in fills`);
  if (faults.length === 0) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `${archiveTable} has other columns than fills: ${faults.join('; ')}`,
    advice: `Nothing was moved. Rename ${archiveTable}, or give its columns the types of fills, then run again.`,
  });
}
