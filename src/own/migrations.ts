import { fileURLToPath } from 'node:url';

// Two levels up: the same from `src/own`, `dist/own` and the one file of the command line.

/** The migrations in the layout of drizzle-kit and drizzle-orm before 1.0: absolute path of `drizzle/`. */
export const migrationsFolder: string = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** The same files in the layout of 1.0, one folder a migration: absolute path of `drizzle-v1/`. */
export const migrationsFolderV1: string = fileURLToPath(new URL('../../drizzle-v1', import.meta.url));

/**
 * The table that records which of them a database has. Another one does not know what is applied.
 *
 * @example
 * import { drizzle } from 'drizzle-orm/postgres-js';
 * import { migrate } from 'drizzle-orm/postgres-js/migrator';
 * import { migrationsFolder, migrationsSchema, migrationsTable } from 'multi-pair-db/migrations';
 *
 * const db = drizzle('postgres://localhost/trading');
 * await migrate(db, { migrationsFolder, migrationsSchema, migrationsTable });
 */
export const migrationsTable = 'migrations';

/** The schema in which that table stands, beside all else that the migrations need. */
export const migrationsSchema = 'multi_pair_db';
