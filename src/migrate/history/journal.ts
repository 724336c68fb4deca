import type { Connection } from '../../connection/connection.ts';
import type { MigrationFile } from './folder.ts';

/** A row that drizzle, or this migrator, has recorded. */
export interface JournalRow {
  readonly id: number;
  readonly hash: string;
  /** The file's `when`, epoch milliseconds. Null only where somebody else wrote the row. */
  readonly createdAtMs: number | null;
}

/** The rows of drizzle's journal, oldest migration first. None where the table is not there. */
export async function listJournalRows(connection: Connection): Promise<JournalRow[]> {
  if (!(await hasJournal(connection))) return [];
  return connection.query<JournalRow>(
    'select id, hash, created_at as "createdAtMs" from drizzle.__drizzle_migrations order by created_at nulls first, id',
  );
}

/** Makes the journal as drizzle does. What exists is left alone: a role without CREATE can work on it. */
export async function createJournal(connection: Connection): Promise<void> {
  if (await hasJournal(connection)) return;
  await connection.execute('create schema if not exists drizzle');
  await connection.execute(
    'create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)',
  );
}

async function hasJournal(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ present: boolean }>(
    "select to_regclass('drizzle.__drizzle_migrations') is not null as present",
  );
  return row?.present === true;
}

/**
 * Records a file, unless a runner that takes no lock has done so meanwhile: that fails, and the transaction with it.
 * The values are a sha256 and a number of ours, so they can stand in the text that a dry run prints.
 */
export function recordSql({ tag, hash, createdAtMs }: MigrationFile): string {
  return `do $journal$
begin
  lock table drizzle.__drizzle_migrations in share row exclusive mode;
  if exists (select from drizzle.__drizzle_migrations where created_at = ${createdAtMs}) then
    raise exception '${tag.replaceAll("'", "''").replaceAll('%', '%%')} has been recorded by another run in the meantime'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Run status, then run the same command again.';
  end if;
  insert into drizzle.__drizzle_migrations (hash, created_at) values ('${hash}', ${createdAtMs});
end
$journal$`;
}

/** Takes the record of a file away. */
export function unrecordSql({ createdAtMs }: MigrationFile): string {
  return `delete from drizzle.__drizzle_migrations where created_at = ${createdAtMs}`;
}
