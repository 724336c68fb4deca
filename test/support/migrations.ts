import { readFile } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePgliteFolder } from 'drizzle-orm/pglite/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateFolder } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { migrationsFolder, migrationsSchema, migrationsTable } from '../../src/own/migrations.ts';

export { migrationsFolder };

/** The SQL of the live single-pair database. */
export const readLegacySchema = (): Promise<string> =>
  readFile(new URL('../../demo/legacy-schema.sql', import.meta.url), 'utf8');

/** Applies all pending migrations as stock drizzle does, on a connection of its own. */
export async function migrate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await migrateFolder(drizzle({ client: sql }), {
      migrationsFolder,
      migrationsSchema,
      migrationsTable,
    });
  } finally {
    await sql.end();
  }
}

/** The same on PGlite. */
export async function migratePglite(client: PGlite): Promise<void> {
  await migratePgliteFolder(drizzlePglite({ client }), {
    migrationsFolder,
    migrationsSchema,
    migrationsTable,
  });
}
