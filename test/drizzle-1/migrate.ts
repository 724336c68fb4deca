import type { PGlite } from '@electric-sql/pglite';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

// Here, because `drizzle-orm` is 1.0 in this folder alone.

interface Config {
  readonly migrationsFolder: string;
  readonly migrationsSchema?: string;
  readonly migrationsTable?: string;
}

/** Applies a folder as drizzle-kit 1.0 does, which calls just this. */
export async function migrateV1(url: string, config: Config): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await migrate(drizzle({ client }), config);
  } finally {
    await client.end();
  }
}

/** The same on PGlite. */
export async function migratePgliteV1(client: PGlite, config: Config): Promise<void> {
  await migratePglite(drizzlePglite({ client }), config);
}
