import { type SQL, sql } from 'drizzle-orm';
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import { inject } from 'vitest';
import type { Database, Transaction } from '../../src/queries/core/database.ts';
import { createTestDatabase } from '../../src/testing/index.ts';
import { createDatabase } from './database.ts';
import { closePool, createPool } from './pool.ts';
import type { ServerVersion } from './server.ts';

/** A handle as services have one: the queries' type, and what the tests themselves need of Drizzle. */
export interface Handle extends Database {
  transaction<T>(work: (tx: HandleTransaction) => Promise<T>): Promise<T>;
  execute(query: SQL): PromiseLike<unknown>;
}
interface HandleTransaction extends Handle, Transaction {}

/** A migrated database of a test file's own, through one driver. */
export interface OpenHandle extends AsyncDisposable {
  readonly db: Handle;
}

export const drivers = ['postgres.js', 'node-postgres'] as const;
export type Driver = (typeof drivers)[number];

export async function openPglite(): Promise<OpenHandle> {
  return createTestDatabase({ cacheFolder: inject('embeddedDumps') });
}

export async function openServer(version: ServerVersion, driver: Driver): Promise<OpenHandle> {
  const database = await createDatabase(version, 'migrated');
  const client = connect(driver, database.url);
  return {
    db: client.db,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** A pool through one driver on a database that exists. */
export function connect(driver: Driver, url: string, max = 4): OpenHandle {
  if (driver === 'node-postgres') {
    const pool = createPool(url, max);
    return { db: drizzleNodePostgres({ client: pool }), [Symbol.asyncDispose]: () => closePool(pool) };
  }
  const client = postgres(url, { max, onnotice: () => {} });
  return { db: drizzlePostgresJs({ client }), [Symbol.asyncDispose]: () => client.end() };
}

/** Empties the three tables: of a few rows, which are deleted sooner than some forty files are made anew. */
export async function emptyTables(db: Handle): Promise<void> {
  await db.execute(sql`with o as (delete from orders), f as (delete from fills) delete from sessions`);
}

/** A handle on one connection, which stays after an error. (A pool of node-postgres gives up a connection with one.) */
export async function connectOne(driver: Driver, url: string): Promise<OpenHandle> {
  if (driver === 'postgres.js') return connect(driver, url, 1);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return { db: drizzleNodePostgres({ client }), [Symbol.asyncDispose]: () => client.end() };
}
