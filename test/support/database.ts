import postgres, { type Sql } from 'postgres';
import { inject } from 'vitest';
import { readLegacySchema } from './migrations.ts';
import type { ServerVersion } from './server.ts';

/** A database of a test's own, on one of the run's servers. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** A pool on it; more sessions come from `connect`. */
  readonly sql: Sql;
  /** One more session (or pool) on it, closed with the database. */
  connect(options?: postgres.Options<Record<string, never>>): Sql;
}

let created = 0;

/**
 * Creates a database: `empty`, `legacy` (the live single-pair schema, no rows) or `migrated`.
 * Use it with `await using`, which drops it whatever the test did.
 */
export async function createDatabase(
  version: ServerVersion,
  state: 'empty' | 'legacy' | 'migrated',
): Promise<TestDatabase> {
  const base = `postgres://postgres@127.0.0.1:${inject('serverPorts')[version]}`;
  const name = `t${process.pid}_${++created}`;
  const admin = postgres(`${base}/postgres`, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name} ${state === 'migrated' ? 'template migrated' : ''}`);

  const url = `${base}/${name}`;
  const pools: Sql[] = [];
  const connect: TestDatabase['connect'] = (options) => {
    const pool = postgres(url, { onnotice: () => {}, ...options });
    pools.push(pool);
    return pool;
  };
  const sql = connect({ max: 4 });
  if (state === 'legacy') await sql.unsafe(await readLegacySchema());

  return {
    name,
    url,
    sql,
    connect,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })));
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
