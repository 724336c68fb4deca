import type { MySqlAsyncDatabase } from 'drizzle-orm/mysql-core';
import type { drizzle as drizzleNeonHttp } from 'drizzle-orm/neon-http';
import type { drizzle as drizzleNeon } from 'drizzle-orm/neon-serverless';
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import type { SQLiteAsyncDatabase } from 'drizzle-orm/sqlite-core';
import { expectTypeOf, test } from 'vitest';
import {
  claimSessionsToSettle,
  type Database,
  listFills,
  type SessionInput,
  type SessionSummary,
  settleSessions,
  type Transaction,
  withoutPreparedStatements,
} from '../../../src/queries/index.ts';
import type { Fill, NewOrder, Session } from '../../../src/schema/index.ts';
import { relations } from '../../../src/schema/relations-v2.ts';

test('every handle of 1.0 is a Database, with relations and without, and is no Transaction', () => {
  expectTypeOf(drizzlePostgresJs('')).toExtend<Database>();
  expectTypeOf(drizzleNodePostgres('')).toExtend<Database>();
  expectTypeOf(drizzlePglite('')).toExtend<Database>();
  expectTypeOf<ReturnType<typeof drizzleNeon>>().toExtend<Database>();
  expectTypeOf<ReturnType<typeof drizzleNeonHttp>>().toExtend<Database>();
  expectTypeOf(drizzlePostgresJs('', { relations })).toExtend<Database>();
  expectTypeOf(drizzlePostgresJs('', { relations })).not.toExtend<Transaction>();
  expectTypeOf(drizzlePglite('', { relations })).not.toExtend<Transaction>();
  // @ts-expect-error a plain handle holds no lock
  claimSessionsToSettle(drizzleNodePostgres(''));
});

test('a transaction of any of them is both', () => {
  drizzlePostgresJs('', { relations }).transaction(async (tx) => {
    expectTypeOf(tx).toExtend<Database>();
    expectTypeOf(tx).toExtend<Transaction>();
    expectTypeOf(withoutPreparedStatements(tx)).toEqualTypeOf<typeof tx>();
  });
  drizzleNodePostgres('').transaction(async (tx) => expectTypeOf(tx).toExtend<Transaction>());
  drizzlePglite('').transaction(async (tx) => expectTypeOf(tx).toExtend<Transaction>());
});

test('a worker has the transactions of its handle', () => {
  const transaction = true;
  settleSessions(drizzlePostgresJs(''), async (_, { tx }) => void tx.insert, { transaction });
  settleSessions(drizzleNodePostgres('', { relations }), async (_, { tx }) => void tx.query, { transaction });
  settleSessions(drizzlePglite(''), async (_, { tx }) => void tx.update, { transaction });
  // @ts-expect-error a transaction would keep the claims to itself
  drizzlePostgresJs('').transaction((tx) => settleSessions(tx, async () => {}));
});

test('what is no handle of PostgreSQL is none', () => {
  expectTypeOf<MySqlAsyncDatabase<never>>().not.toExtend<Database>();
  expectTypeOf<SQLiteAsyncDatabase<'async', unknown>>().not.toExtend<Database>();
  expectTypeOf<{ _: { session: object } }>().not.toExtend<Database>();
  expectTypeOf<{ execute(): Promise<unknown> }>().not.toExtend<Database>();
});

declare const db: Database;

test('rows are as on 0.45', () => {
  expectTypeOf<Session['pairs']>().toEqualTypeOf<string[] | null>();
  expectTypeOf<SessionSummary>().toEqualTypeOf<Pick<Session, keyof SessionSummary>>();
  expectTypeOf<Fill['tradeId']>().toEqualTypeOf<bigint | null>();
  expectTypeOf<NewOrder['price']>().toEqualTypeOf<number | null | undefined>();
  expectTypeOf<SessionInput['budget']>().toEqualTypeOf<number | string | null | undefined>();
  expectTypeOf(listFills(db, { sessionId: 's' })).resolves.toEqualTypeOf<Fill[]>();
  // @ts-expect-error the JSON documents are not in a list
  expectTypeOf<SessionSummary['settings']>().toBeAny();
});
