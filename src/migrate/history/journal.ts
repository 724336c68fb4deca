import type { Connection } from '../../connection/connection.ts';
import { quoteIdentifier, quoteLiteral } from '../../connection/identifiers.ts';
import type { MigrationFile } from './folder.ts';
import { nameFolder } from './folder-name.ts';

// A journal has one of two shapes. drizzle-kit 0.31 makes id, hash and created_at, and applies what is stamped later than
// the newest row. 1.0 has a name as well, and applies what has no row of its name: it names the rows of a journal of the
// old shape by their stamps, to the second, but a row without a name in one of the new shape is none to it. The rows that it
// writes itself are stamped to the second. What is made here has the old shape, which both take; what is written fits either.

/** Where the rows of applied migrations stand: `migrations: { schema, table }` in drizzle.config.ts. */
export interface JournalTable {
  readonly schema: string;
  readonly table: string;
}

/** Where drizzle keeps them, unless it is told otherwise. */
export const defaultJournal: JournalTable = { schema: 'drizzle', table: '__drizzle_migrations' };

/** A row that drizzle, or this migrator, has recorded. */
export interface JournalRow {
  readonly id: number;
  readonly hash: string;
  /** The file's `when`, epoch milliseconds. Null only where somebody else wrote the row. */
  readonly createdAtMs: number | null;
  /** Folder of the file in the layout of drizzle-kit 1.0; null: nobody gave one; undefined: the table has no such column. */
  readonly name?: string | null;
  /** Table that it stands in, as SQL names it. */
  readonly journal: string;
}

/** A journal as SQL names it. */
export const nameJournal = ({ schema, table }: JournalTable): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

/**
 * The file that a row is of: by its stamp; else by its name, or by a stamp that drizzle-kit 1.0 has cut to the second, where
 * the hash agrees.
 */
export function fileOf(
  { createdAtMs, hash, name }: Omit<JournalRow, 'id' | 'journal'>,
  files: readonly MigrationFile[],
): MigrationFile | undefined {
  return (
    files.find((file) => file.createdAtMs === createdAtMs) ??
    files.find((file) => nameFolder(file) === name) ??
    files.find((file) => toSecond(file.createdAtMs) === createdAtMs && file.hash === hash)
  );
}

const toSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;

/** The same as a condition on the row `j`. */
const isOf = (file: MigrationFile): string =>
  `(j.created_at = ${file.createdAtMs} or to_jsonb(j) ->> 'name' = ${quoteLiteral(nameFolder(file))}
      or (j.created_at = ${toSecond(file.createdAtMs)} and j.hash = '${file.hash}'))`;

/**
 * The rows of a journal, oldest migration first; none where the table is not there. Somebody may have applied the files
 * with drizzle's default journal: rows there that are of one of `files` count, unless the journal has it.
 * Rows of other projects there are none of our business.
 */
export async function listJournalRows(
  connection: Connection,
  journal: JournalTable,
  files: readonly MigrationFile[],
): Promise<JournalRow[]> {
  const own = await readRows(connection, journal);
  if (isSame(journal, defaultJournal)) return own;
  const recorded = new Set(own.map((row) => fileOf(row, files)));
  const adopted = (await readRows(connection, defaultJournal)).filter((row) => {
    const file = fileOf(row, files);
    return file !== undefined && !recorded.has(file);
  });
  return [...own, ...adopted].sort((a, b) => (a.createdAtMs ?? 0) - (b.createdAtMs ?? 0) || a.id - b.id);
}

const isSame = (a: JournalTable, b: JournalTable): boolean => a.schema === b.schema && a.table === b.table;

async function readRows(connection: Connection, journal: JournalTable): Promise<JournalRow[]> {
  if (!(await mayRead(connection, journal))) return [];
  const name = nameJournal(journal);
  const rows = await connection.query<Omit<JournalRow, 'journal'> & { isNamed: boolean }>(
    `select j.id, j.hash, j.created_at as "createdAtMs", to_jsonb(j) ? 'name' as "isNamed", to_jsonb(j) ->> 'name' as name
     from ${name} as j
     order by j.created_at nulls first, j.id`,
  );
  return rows.map(({ isNamed, name: given, ...row }) => ({
    ...row,
    ...(isNamed ? { name: given ?? null } : {}),
    journal: name,
  }));
}

/**
 * Is it there? A journal of its own that may not be read is an error; the default one belongs to others as well, and what
 * this role may not see there is not of this project.
 */
async function mayRead(connection: Connection, journal: JournalTable): Promise<boolean> {
  const [row] = await connection.query<{ present: boolean; readable: boolean }>(
    `select c.oid is not null as present,
            coalesce(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'), false) as readable
     from (select) as one
     left join pg_namespace as n on n.nspname = $1
     left join pg_class as c on c.relnamespace = n.oid and c.relname = $2`,
    [journal.schema, journal.table],
  );
  if (row?.present !== true) return false;
  return row.readable || !isSame(journal, defaultJournal);
}

/** Makes the journal as drizzle-kit 0.31 does. What exists is left alone: a role without CREATE can work on it. */
export async function createJournal(connection: Connection, journal: JournalTable): Promise<void> {
  const [row] = await connection.query<{ present: boolean }>(
    `select exists (
       select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = $2) as present`,
    [journal.schema, journal.table],
  );
  if (row?.present === true) return;
  await connection.execute(`create schema if not exists ${quoteIdentifier(journal.schema)}`);
  await connection.execute(
    `create table if not exists ${nameJournal(journal)} (id serial primary key, hash text not null, created_at bigint)`,
  );
}

/** Takes over the rows of `files` from drizzle's default journal, and names those that drizzle-kit 1.0 would not know. */
export async function completeJournal(
  connection: Connection,
  journal: JournalTable,
  files: readonly MigrationFile[],
): Promise<void> {
  const name = nameJournal(journal);
  const unknown = (await listJournalRows(connection, journal, files)).flatMap((row) => {
    const file = fileOf(row, files);
    return file !== undefined && (row.journal !== name || row.name === null) ? [{ row, file }] : [];
  });
  if (unknown.length === 0) return;
  const isNamed = await hasNames(connection, journal);
  for (const { row, file } of unknown) {
    await connection.execute(
      row.journal === name
        ? `update ${name} set name = ${quoteLiteral(nameFolder(file))} where id = ${row.id} and name is null`
        : insertSql({ ...file, hash: row.hash }, journal, isNamed),
    );
  }
}

async function hasNames(connection: Connection, journal: JournalTable): Promise<boolean> {
  const [row] = await connection.query<{ isNamed: boolean }>(
    `select exists (
       select from pg_attribute
       where attrelid = to_regclass($1) and attname = 'name' and not attisdropped) as "isNamed"`,
    [nameJournal(journal)],
  );
  return row?.isNamed === true;
}

/** The row of a file, for a journal of the one or the other shape. */
export function insertSql(file: MigrationFile, journal: JournalTable, isNamed: boolean): string {
  const values = [quoteLiteral(file.hash), `${file.createdAtMs}`, quoteLiteral(nameFolder(file))];
  return isNamed
    ? `insert into ${nameJournal(journal)} (hash, created_at, name) values (${values.join(', ')})`
    : `insert into ${nameJournal(journal)} (hash, created_at) values (${values.slice(0, 2).join(', ')})`;
}

/**
 * Records a file, unless a runner that takes no lock has done so meanwhile: that fails, and the transaction with it.
 * The values are of the files, so they can stand in the text that a dry run prints.
 */
export function recordSql(file: MigrationFile, journal: JournalTable): string {
  const name = nameJournal(journal);
  return `do $journal$
begin
  lock table ${name} in share row exclusive mode;
  if exists (select from ${name} as j where ${isOf(file)}) then
    raise exception '${file.tag.replaceAll("'", "''").replaceAll('%', '%%')} has been recorded by another run in the meantime'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Run status, then run the same command again.';
  end if;
  -- The file itself may have brought the journal into the shape of drizzle-kit 1.0.
  if exists (
    select from pg_attribute
    where attrelid = ${quoteLiteral(name)}::regclass and attname = 'name' and not attisdropped
  ) then
    ${insertSql(file, journal, true)};
  else
    ${insertSql(file, journal, false)};
  end if;
end
$journal$`;
}

/** Takes the record of a file away, where there is a journal. */
export function unrecordSql(file: MigrationFile, journal: JournalTable): string {
  const name = nameJournal(journal);
  return `do $journal$
begin
  if to_regclass(${quoteLiteral(name)}) is not null then
    delete from ${name} as j where ${isOf(file)};
  end if;
end
$journal$`;
}
