import type { Connection } from '../../connection/connection.ts';
import { quoteIdentifier, quoteLiteral } from '../../connection/identifiers.ts';
import type { MigrationFile } from './folder.ts';

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
  /** Table that it stands in, as SQL names it. */
  readonly journal: string;
}

/** A journal as SQL names it. */
export const nameJournal = ({ schema, table }: JournalTable): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

/**
 * The rows of a journal, oldest migration first; none where the table is not there. Somebody may have applied the files
 * with drizzle's default journal: rows there that bear the stamp of one of `files` count, unless the journal has it.
 * Rows of other projects there are none of our business.
 */
export async function listJournalRows(
  connection: Connection,
  journal: JournalTable,
  files: readonly MigrationFile[],
): Promise<JournalRow[]> {
  const own = await readRows(connection, journal);
  if (isSame(journal, defaultJournal)) return own;
  const recorded = new Set(own.map((row) => row.createdAtMs));
  const stamps = new Set(files.map((file) => file.createdAtMs));
  const adopted = (await readRows(connection, defaultJournal)).filter(
    ({ createdAtMs }) => createdAtMs !== null && stamps.has(createdAtMs) && !recorded.has(createdAtMs),
  );
  return [...own, ...adopted].sort((a, b) => (a.createdAtMs ?? 0) - (b.createdAtMs ?? 0) || a.id - b.id);
}

const isSame = (a: JournalTable, b: JournalTable): boolean => a.schema === b.schema && a.table === b.table;

async function readRows(connection: Connection, journal: JournalTable): Promise<JournalRow[]> {
  if (!(await mayRead(connection, journal))) return [];
  const name = nameJournal(journal);
  const rows = await connection.query<Omit<JournalRow, 'journal'>>(
    `select id, hash, created_at as "createdAtMs" from ${name} order by created_at nulls first, id`,
  );
  return rows.map((row) => ({ ...row, journal: name }));
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

/**
 * Makes the journal as drizzle does, and takes over the rows of `files` from drizzle's default one. What exists is left
 * alone: a role without CREATE can work on it.
 */
export async function createJournal(
  connection: Connection,
  journal: JournalTable,
  files: readonly MigrationFile[],
): Promise<void> {
  const [row] = await connection.query<{ present: boolean }>(
    `select exists (
       select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = $2) as present`,
    [journal.schema, journal.table],
  );
  const name = nameJournal(journal);
  if (row?.present !== true) {
    await connection.execute(`create schema if not exists ${quoteIdentifier(journal.schema)}`);
    await connection.execute(
      `create table if not exists ${name} (id serial primary key, hash text not null, created_at bigint)`,
    );
  }
  const rows = await listJournalRows(connection, journal, files);
  for (const { hash, createdAtMs } of rows.filter((candidate) => candidate.journal !== name)) {
    await connection.execute(
      `insert into ${name} (hash, created_at) values (${quoteLiteral(hash)}, ${createdAtMs})`,
    );
  }
}

/**
 * Records a file, unless a runner that takes no lock has done so meanwhile: that fails, and the transaction with it.
 * The values are a sha256 and a number of ours, so they can stand in the text that a dry run prints.
 */
export function recordSql({ tag, hash, createdAtMs }: MigrationFile, journal: JournalTable): string {
  const name = nameJournal(journal);
  return `do $journal$
begin
  lock table ${name} in share row exclusive mode;
  if exists (select from ${name} where created_at = ${createdAtMs}) then
    raise exception '${tag.replaceAll("'", "''").replaceAll('%', '%%')} has been recorded by another run in the meantime'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Run status, then run the same command again.';
  end if;
  insert into ${name} (hash, created_at) values ('${hash}', ${createdAtMs});
end
$journal$`;
}

/** Takes the record of a file away, where there is a journal. */
export function unrecordSql({ createdAtMs }: MigrationFile, journal: JournalTable): string {
  const name = nameJournal(journal);
  return `do $journal$
begin
  if to_regclass(${quoteLiteral(name)}) is not null then
    delete from ${name} where created_at = ${createdAtMs};
  end if;
end
$journal$`;
}
