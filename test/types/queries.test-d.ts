import { eq } from 'drizzle-orm';
import type { GelDatabase } from 'drizzle-orm/gel-core';
import type { MySqlDatabase } from 'drizzle-orm/mysql-core';
import type { drizzle as drizzleNeonHttp } from 'drizzle-orm/neon-http';
import type { drizzle as drizzleNeon } from 'drizzle-orm/neon-serverless';
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';
import { expectTypeOf, test } from 'vitest';
import {
  assertSchema,
  type CallOptions,
  claimSessionsToSettle,
  type Database,
  type DatabaseError,
  type FillInput,
  findOrder,
  findSession,
  hasOpenSells,
  insertFills,
  insertOrders,
  insertSession,
  listMultiPairSessions,
  listOpenOrders,
  listOpenSells,
  listOrderStats,
  listOrders,
  listSessions,
  listSessionsByPair,
  listSessionsByPairs,
  listSessionsToSettle,
  type OrderInput,
  type OrderStats,
  type OrderStatsKey,
  type PartialSaveError,
  recordSettlement,
  reopenSettlement,
  type SavedRow,
  type SchemaMismatchError,
  type SessionInput,
  type SessionKey,
  type SessionSummary,
  type SettlementCounts,
  type SettlementKey,
  type SettlementState,
  saveOrders,
  saveSessions,
  setSessionStatus,
  settleSessions,
  type Transaction,
  withoutPreparedStatements,
  withRetry,
} from '../../src/queries/index.ts';
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

test('a handle without prepared statements is of the same type, and so are its transactions', () => {
  const handle = drizzleNodePostgres('', { schema });
  const unprepared = withoutPreparedStatements(handle);
  expectTypeOf(unprepared).toEqualTypeOf<typeof handle>();
  unprepared.transaction(async (tx) => {
    expectTypeOf(tx).toExtend<Transaction>();
    expectTypeOf(withoutPreparedStatements(tx)).toEqualTypeOf<typeof tx>();
  });
  // @ts-expect-error a client is no handle
  withoutPreparedStatements({ query: () => {} });
});

declare const db: Database;
declare const tx: Transaction;

test('settlement: rows are exact, a look back and an instant exclude one another, a claim takes a transaction', () => {
  expectTypeOf(listSessionsToSettle(db)).resolves.toEqualTypeOf<SessionSummary[]>();
  expectTypeOf(listSessionsToSettle(tx, { lookbackHours: 1, pair: 'A', limit: 5 })).resolves.toBeArray();
  expectTypeOf(claimSessionsToSettle(tx, { startedAfterMs: 1, retryAfterMs: 5 })).resolves.toBeArray();
  expectTypeOf(recordSettlement(db, { sessionId: 's', complete: true })).resolves.toEqualTypeOf<{
    id: string;
    settledComplete: boolean | null;
    lastSettleAttempt: number | null;
  }>();
  // @ts-expect-error both of lookbackHours and startedAfterMs
  listSessionsToSettle(db, { lookbackHours: 1, startedAfterMs: 1 });
  // @ts-expect-error a plain handle holds no lock
  claimSessionsToSettle(db, {});
  // @ts-expect-error a plain handle of postgres.js
  claimSessionsToSettle(drizzlePostgresJs(''));
  // @ts-expect-error complete must be said
  recordSettlement(db, { sessionId: 's' });
  expectTypeOf(reopenSettlement(db, { sessionId: 's' })).resolves.toEqualTypeOf<SettlementState>();
  expectTypeOf<SessionSummary>().toExtend<SettlementKey>();
  listSessionsToSettle(db, {
    order: 'never-tried-first',
    after: { lastSettleAttempt: null, startedAt: 1, id: 'a' },
  });
  // @ts-expect-error the key of the other order
  listSessionsToSettle(db, { order: 'never-tried-first', after: { startedAt: 1, id: 'a' } });
  // @ts-expect-error no such order
  listSessionsToSettle(db, { order: 'oldest' });
  // @ts-expect-error whose settlement
  reopenSettlement(db, {});
  // @ts-expect-error the key of an order is not that of a session
  listSessionsToSettle(db, { after: { timestamp: 1, id: 'a' } });
});

test('a worker: the handler is of its mode, and says what it may; a wait has a delay and an end has none', () => {
  const handle = drizzlePostgresJs('');
  const counts = settleSessions(handle, async (session, { signal }) => {
    expectTypeOf(session).toEqualTypeOf<SessionSummary>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
  });
  expectTypeOf(counts).resolves.toEqualTypeOf<SettlementCounts>();
  // In Drizzle's own type, so that the service's tables can be written through it.
  const transaction = true;
  settleSessions(
    handle,
    async ({ id }, { tx, signal }) => {
      expectTypeOf(tx).toExtend<Parameters<Parameters<typeof handle.transaction>[0]>[0]>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      await tx.update(schema.sessions).set({ status: 'x' }).where(eq(schema.sessions.id, id));
      return false;
    },
    { transaction },
  );
  settleSessions(drizzleNodePostgres('', { schema }), async (_, { tx }) => void tx.query, { transaction });
  settleSessions(drizzlePglite('', { schema }), async (_, { tx }) => void tx.query, { transaction });
  settleSessions(withoutPreparedStatements(handle), async (_, { tx }) => void tx.insert, { transaction });
  settleSessions(db, async () => (Math.random() < 0.5 ? false : undefined), { whenIdle: 'end', pair: 'A' });
  settleSessions(db, async () => true, {
    idleDelayMs: 10,
    onError: async (error, { id }) => void [error, id],
  });
  // @ts-expect-error a transaction would keep the claims to itself
  settleSessions(tx, async () => {});
  // @ts-expect-error nobody else sees what is done in a transaction of postgres.js, either
  handle.transaction((inner) => settleSessions(inner, async () => {}));
  // @ts-expect-error this handle begins no transactions
  settleSessions(db, async () => {}, { transaction: true });
  // @ts-expect-error there is no transaction unless it is asked for
  settleSessions(handle, async (_, { tx: own }) => void own);
  // @ts-expect-error a word is no answer
  settleSessions(db, async () => 'settled');
  // @ts-expect-error an end waits for nothing
  settleSessions(db, async () => {}, { whenIdle: 'end', idleDelayMs: 10 });
  // @ts-expect-error a worker claims one at a time
  settleSessions(db, async () => {}, { limit: 10 });
});

test('a retry gives what the work gives, which knows its attempt', () => {
  expectTypeOf(withRetry(async (attempt) => attempt)).resolves.toEqualTypeOf<number>();
  expectTypeOf(withRetry(() => listSessionsToSettle(db), { attempts: 3 })).resolves.toBeArray();
  // @ts-expect-error work is begun again, so it must be a function
  withRetry(listSessionsToSettle(db));
  // @ts-expect-error times have their unit
  withRetry(async () => {}, { baseDelay: 5 });
});

test('pairs: a page’s last row is the key of the next, match must be said', () => {
  expectTypeOf<SessionSummary>().toExtend<SessionKey>();
  expectTypeOf<SessionSummary['pairs']>().toEqualTypeOf<string[] | null>();
  expectTypeOf<SessionSummary['startedAt']>().toEqualTypeOf<number | null>();
  expectTypeOf<SessionSummary>().toEqualTypeOf<Pick<schema.Session, keyof SessionSummary>>();
  expectTypeOf(listSessionsByPair(db, { pair: 'A' })).resolves.toEqualTypeOf<SessionSummary[]>();
  expectTypeOf(listMultiPairSessions(db)).resolves.toEqualTypeOf<SessionSummary[]>();
  expectTypeOf(insertSession(db, { id: 's' })).resolves.toEqualTypeOf<SessionSummary>();
  // @ts-expect-error the JSON documents are not in a list
  expectTypeOf<SessionSummary['settings']>().toBeAny();
  // @ts-expect-error match is missing
  listSessionsByPairs(db, { pairs: ['A'] });
  // @ts-expect-error pairs is a list
  listSessionsByPairs(db, { pairs: 'A', match: 'all' });
  // @ts-expect-error the database counts the pairs
  insertSession(db, { id: 's', pairCount: 1 });
  // @ts-expect-error a limit is a number
  listSessionsByPair(db, { pair: 'A', limit: '5' });
});

test('sessions: all columns of one, the summaries of many', () => {
  expectTypeOf(findSession(db, { id: 's' })).resolves.toEqualTypeOf<schema.Session | undefined>();
  expectTypeOf(listSessions(db)).resolves.toEqualTypeOf<SessionSummary[]>();
  expectTypeOf(listSessions(tx, { status: 'x', exchange: 'okx', startedAfterMs: 1 })).resolves.toBeArray();
  expectTypeOf(
    setSessionStatus(db, { sessionId: 's', status: 'x' }),
  ).resolves.toEqualTypeOf<SessionSummary>();
  // @ts-expect-error which session
  findSession(db, {});
  // @ts-expect-error an instant is a number
  listSessions(db, { startedAfterMs: '1' });
  // @ts-expect-error the key of an order is not that of a session
  listSessions(db, { after: { timestamp: 1, id: 'a' } });
  // @ts-expect-error a status is text
  setSessionStatus(db, { sessionId: 's', status: null });
});

test('orders: exactly one id, the venue’s with its session; rows are orders', () => {
  expectTypeOf(findOrder(db, { id: 'o' })).resolves.toEqualTypeOf<schema.Order | undefined>();
  expectTypeOf(listOrders(db, { sessionId: 's' })).resolves.toEqualTypeOf<schema.Order[]>();
  expectTypeOf(listOrders(db)).resolves.toEqualTypeOf<schema.Order[]>();
  expectTypeOf(listOpenSells(db, { sessionId: 's' })).resolves.toEqualTypeOf<schema.Order[]>();
  expectTypeOf(listOrderStats(db, { sessionId: 's' })).resolves.toEqualTypeOf<OrderStats[]>();
  expectTypeOf<OrderStats['size']>().toEqualTypeOf<string>();
  expectTypeOf<OrderStats>().toExtend<OrderStatsKey>();
  // @ts-expect-error open sells are asked for of a session
  listOpenSells(db);
  // @ts-expect-error its side is said by its name
  listOpenSells(db, { sessionId: 's', side: 'sell' });
  // @ts-expect-error a session and a range
  listOrderStats(db, { sessionId: 's', fromMs: 0, toMs: 1 });
  // @ts-expect-error neither
  listOrderStats(db, {});
  expectTypeOf(listOpenOrders(db)).resolves.toEqualTypeOf<schema.Order[]>();
  expectTypeOf(hasOpenSells(db, { sessionId: 's' })).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(insertOrders(db, [{ id: 'o' }])).resolves.toEqualTypeOf<
    { id: string; pairIndex: number | null }[]
  >();
  // @ts-expect-error two ids
  findOrder(db, { id: 'o', clientOrderId: 'c' });
  // @ts-expect-error no id
  findOrder(db, {});
  // @ts-expect-error no index has the venue's id alone
  findOrder(db, { exchangeOrderId: 'x' });
  expectTypeOf(listOrders(db, { sessionId: 's', side: 'SELL' })).resolves.toBeArray();
  // @ts-expect-error a side is buy or sell
  listOrders(db, { sessionId: 's', side: 'short' });
  // @ts-expect-error the position comes from the session
  insertOrders(db, [{ id: 'o', pairIndex: 1 }]);
});

test('saves: a row needs its id, and says for each what became of it', () => {
  expectTypeOf(saveOrders(db, [{ id: 'o' }])).resolves.toEqualTypeOf<SavedRow[]>();
  expectTypeOf(saveOrders(tx, [{ id: 'o', price: '0.1', status: null }])).resolves.toBeArray();
  expectTypeOf<SavedRow['outcome']>().toEqualTypeOf<'inserted' | 'updated' | 'unchanged' | 'stale'>();
  expectTypeOf<PartialSaveError['saved']>().toEqualTypeOf<readonly (SavedRow | undefined)[]>();
  expectTypeOf<PartialSaveError>().toExtend<DatabaseError>();
  expectTypeOf(saveSessions(db, [{ id: 's', pairs: ['A'], budget: '0.1' }])).resolves.toEqualTypeOf<
    SavedRow[]
  >();
  // @ts-expect-error the database counts the pairs
  saveSessions(db, [{ id: 's', pairCount: 1 }]);
  // @ts-expect-error no id
  saveOrders(db, [{ status: 'open' }]);
  // @ts-expect-error the position comes from the session
  saveOrders(db, [{ id: 'o', pairIndex: 1 }]);
  // @ts-expect-error the column's name in the database
  saveOrders(db, [{ id: 'o', filledsize: 1 }]);
  // @ts-expect-error a list, not one row
  saveOrders(db, { id: 'o' });
});

type IsDecimal<T> = unknown extends T ? false : number extends T ? (string extends T ? true : false) : false;
type DecimalKeys<Row> = keyof { [K in keyof Row as IsDecimal<Row[K]> extends true ? K : never]: K };

test('decimals are numbers or exact text, wherever a table has real columns, and nowhere else', () => {
  expectTypeOf<DecimalKeys<SessionInput>>().toEqualTypeOf<'budget'>();
  expectTypeOf<DecimalKeys<OrderInput>>().toEqualTypeOf<
    'size' | 'filledSize' | 'filled' | 'remaining' | 'price' | 'marketPrice' | 'fee' | 'usdValue'
  >();
  expectTypeOf<DecimalKeys<FillInput>>().toEqualTypeOf<
    'size' | 'amount' | 'price' | 'fee' | 'feeAmount' | 'cost' | 'quantity' | 'tradeId'
  >();
  expectTypeOf<OrderInput['price']>().toEqualTypeOf<number | string | null | undefined>();
  expectTypeOf<OrderInput['timestamp']>().toEqualTypeOf<schema.NewOrder['timestamp']>();
  expectTypeOf<SessionInput['pairs']>().toEqualTypeOf<schema.NewSession['pairs']>();
  expectTypeOf<Omit<schema.NewSession, 'pairCount'>>().toExtend<SessionInput>();
  expectTypeOf<Omit<schema.Order, 'pairIndex'>>().toExtend<OrderInput>();
  expectTypeOf<{ id: string }>().toExtend<SessionInput>();
  insertSession(db, { id: 's', budget: '0.1' });
  insertOrders(db, [{ id: 'o', price: '61837.63', size: 0.5, fee: null, remaining: undefined }]);
  // @ts-expect-error a time is no decimal
  insertOrders(db, [{ id: 'o', timestamp: '5' }]);
  // @ts-expect-error nor is a count
  insertSession(db, { id: 's', cycleCount: '5' });
  // @ts-expect-error no driver sends a bigint to real
  insertOrders(db, [{ id: 'o', price: 1n }]);
  // @ts-expect-error only the venue's id may be a number or text
  insertFills(db, [{ id: 'f', execId: 7 }]);
  // @ts-expect-error the column's name in the database
  insertOrders(db, [{ id: 'o', marketprice: '1' }]);
  // @ts-expect-error no id
  insertOrders(db, [{ price: '1' }]);
});

test('assertSchema takes a handle, and what every call takes; its error lists what is missing', () => {
  expectTypeOf<Parameters<typeof assertSchema>[1]>().toEqualTypeOf<CallOptions | undefined>();
  expectTypeOf(assertSchema).returns.resolves.toEqualTypeOf<void>();
  expectTypeOf<SchemaMismatchError['faults']>().toEqualTypeOf<readonly string[]>();
  // @ts-expect-error no handle
  assertSchema('postgres://localhost/trading');
});

test('every function takes a signal and a time', () => {
  const tx = db as Transaction;
  const bounds = { signal: new AbortController().signal, timeoutMs: 5_000 };
  findSession(db, { id: 's', ...bounds });
  insertSession(db, { id: 's' }, bounds);
  insertFills(db, [], { reportAlike: true, ...bounds });
  saveOrders(db, [], bounds);
  listSessionsToSettle(db, { order: 'never-tried-first', ...bounds });
  claimSessionsToSettle(tx, bounds);
  // @ts-expect-error ms, as a number
  findSession(db, { id: 's', timeoutMs: '5s' });
  // @ts-expect-error the controller itself is no signal
  findSession(db, { id: 's', signal: new AbortController() });
});

test('what is no handle of PostgreSQL is none', () => {
  expectTypeOf<MySqlDatabase<never, never>>().not.toExtend<Database>();
  expectTypeOf<BaseSQLiteDatabase<'async', unknown>>().not.toExtend<Database>();
  expectTypeOf<GelDatabase<never>>().not.toExtend<Database>();
  expectTypeOf<{ _: { session: object } }>().not.toExtend<Database>();
});
