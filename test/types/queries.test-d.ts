import type { drizzle as drizzleNeonHttp } from 'drizzle-orm/neon-http';
import type { drizzle as drizzleNeon } from 'drizzle-orm/neon-serverless';
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import { expectTypeOf, test } from 'vitest';
import type { Database, Transaction } from '../../src/queries/database.ts';
import * as schema from '../../src/schema/index.ts';

type HandleOf<F extends (...args: never[]) => unknown> = ReturnType<F>;

test('every Drizzle PostgreSQL handle is a Database, with a schema and without, and is no Transaction', () => {
  expectTypeOf<HandleOf<typeof drizzlePostgresJs>>().toExtend<Database>();
  expectTypeOf<HandleOf<typeof drizzleNodePostgres>>().toExtend<Database>();
  expectTypeOf<HandleOf<typeof drizzlePglite>>().toExtend<Database>();
  expectTypeOf<HandleOf<typeof drizzleNeon>>().toExtend<Database>();
  expectTypeOf<HandleOf<typeof drizzleNeonHttp>>().toExtend<Database>();
  expectTypeOf(drizzlePostgresJs('', { schema })).toExtend<Database>();
  expectTypeOf(drizzlePostgresJs('', { schema })).not.toExtend<Transaction>();
  expectTypeOf(drizzlePglite('', { schema })).not.toExtend<Transaction>();
});

test('a transaction of any of them is both', () => {
  drizzlePostgresJs('', { schema }).transaction(async (tx) => {
    expectTypeOf(tx).toExtend<Database>();
    expectTypeOf(tx).toExtend<Transaction>();
  });
  drizzleNodePostgres('').transaction(async (tx) => expectTypeOf(tx).toExtend<Transaction>());
  drizzlePglite('').transaction(async (tx) => expectTypeOf(tx).toExtend<Transaction>());
});
