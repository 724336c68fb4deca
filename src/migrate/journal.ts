import type { Connection } from './connection.ts';

/** A row that drizzle, or this migrator, has recorded. */
export interface JournalRow {
  readonly id: number;
  readonly hash: string;
  readonly createdAtMs: number;
}

/** The rows of `drizzle.__drizzle_migrations`, oldest migration first. None where the table is not there. */
export async function listJournalRows(connection: Connection): Promise<JournalRow[]> {
  const [table] = await connection.query<{ present: boolean }>(
    "select to_regclass('drizzle.__drizzle_migrations') is not null as present",
  );
  if (table?.present !== true) return [];
  return connection.query<JournalRow>(
    'select id, hash, created_at as "createdAtMs" from drizzle.__drizzle_migrations order by created_at, id',
  );
}
