import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { PGlite } from '@electric-sql/pglite';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePgliteFolder } from 'drizzle-orm/pglite/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateFolder } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

/** The project's own migrations. */
export const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** The SQL of the live single-pair database. */
export const readLegacySchema = (): Promise<string> =>
  readFile(new URL('../../demo/legacy-schema.sql', import.meta.url), 'utf8');

/** Our journal, as the configuration of this project and of services names it. */
const journal = { migrationsSchema: 'multi_pair_db', migrationsTable: 'migrations' };

/** Applies all pending migrations as stock drizzle does, on a connection of its own. */
export async function migrate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await migrateFolder(drizzle({ client: sql }), { migrationsFolder, ...journal });
  } finally {
    await sql.end();
  }
}

/** The same on PGlite. */
export async function migratePglite(client: PGlite): Promise<void> {
  await migratePgliteFolder(drizzlePglite({ client }), { migrationsFolder, ...journal });
}
