import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  claimSessionsToSettle,
  correctFill,
  findFill,
  findLatestFill,
  findOrder,
  findSession,
  hasOpenSells,
  insertFills,
  listEquity,
  listFills,
  listFillsInRange,
  listMultiPairSessions,
  listOpenOrders,
  listOpenSells,
  listOrderStats,
  listOrders,
  listPairPerformance,
  listPairPnl,
  listPairVolume,
  listSessions,
  listSessionsByPair,
  listSessionsByPairs,
  listSessionsToSettle,
  recordSettlement,
  reopenSettlement,
  saveOrders,
  saveSessions,
  setSessionPairs,
  setSessionStatus,
} from '../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { firstStartMs, loadFills, loadOrders, loadSessions, setStatistics } from '../support/load.ts';
import { serverVersions } from '../support/server.ts';

const rows = 100_000;
const session = '4c9184f37cff01bcdc32dc486ec36961'; // not there: md5('never')
const tradedSession = 'c4ca4238a0b923820dcc509a6f75849b'; // the first: md5('1')
const unstarted = { startedAt: null, id: 'ff' };
const startedAfterMs = firstStartMs;
const lastHour = {
  bucket: 'hour',
  fromMs: firstStartMs + 96_000_000,
  toMs: firstStartMs + 99_600_000,
} as const;
const storedFill = { id: 'other', symbol: 'COMMON', price: 1, size: 1, timestamp: 1 };

/** One of the loaded orders, with something else in it; a session has the same id. */
const storedOrder = { id: 'c4ca4238a0b923820dcc509a6f75849b', status: 'other' }; // md5('1')

/** What a call must use: all of these indexes, each statement at least one, and no table from end to end. */
const calls: readonly [string, (db: ReturnType<typeof drizzle>) => Promise<unknown>, readonly string[]][] = [
  ['by a common pair', (db) => listSessionsByPair(db, { pair: 'COMMON' }), ['idx_sessions_startedat']],
  [
    'by a rare pair',
    (db) => listSessionsByPair(db, { pair: 'RARE' }),
    ['idx_sessions_startedat', 'idx_sessions_pairs_gin'],
  ],
  [
    'by a rare pair, page after',
    (db) => listSessionsByPair(db, { pair: 'RARE', after: { startedAt: firstStartMs + 9e7, id: 'a' } }),
    ['idx_sessions_startedat', 'idx_sessions_pairs_gin'],
  ],
  [
    'by a rare pair and an exchange',
    (db) => listSessionsByPair(db, { pair: 'RARE', exchange: 'okx' }),
    ['idx_sessions_startedat', 'idx_sessions_pairs_gin'],
  ],
  [
    'by all of two',
    (db) => listSessionsByPairs(db, { pairs: ['COMMON', 'RARE'], match: 'all' }),
    ['idx_sessions_startedat', 'idx_sessions_pairs_gin'],
  ],
  [
    'by any of two',
    (db) => listSessionsByPairs(db, { pairs: ['RARE', 'none'], match: 'any' }),
    ['idx_sessions_startedat', 'idx_sessions_pairs_gin'],
  ],
  [
    'never started',
    (db) => listSessionsByPair(db, { pair: 'COMMON', after: unstarted }),
    ['idx_sessions_startedat'],
  ],
  ['one pair or more', (db) => listMultiPairSessions(db, { minPairs: 1 }), ['idx_sessions_startedat']],
  [
    'five pairs or more',
    (db) => listMultiPairSessions(db, { minPairs: 5 }),
    ['idx_sessions_startedat', 'idx_sessions_pair_count'],
  ],
  ['to settle', (db) => listSessionsToSettle(db, { startedAfterMs }), ['idx_sessions_settlement_discovery']],
  [
    'to settle, every option',
    (db) =>
      listSessionsToSettle(db, {
        startedAfterMs,
        pair: 'RARE',
        exchange: 'okx',
        after: { startedAt: firstStartMs + 9.9e7, id: 'a' },
      }),
    ['idx_sessions_settlement_discovery'],
  ],
  [
    'claim',
    (db) => db.transaction((tx) => claimSessionsToSettle(tx, { startedAfterMs, pair: 'COMMON' })),
    ['idx_sessions_settlement_discovery'],
  ],
  [
    'record',
    (db) => ignoreNotFound(recordSettlement(db, { sessionId: session, complete: true })),
    ['sessions_pkey'],
  ],
  [
    'set pairs',
    (db) => ignoreNotFound(setSessionPairs(db, { sessionId: session, pairs: ['A'] })),
    ['sessions_pkey'],
  ],
  ['order by id', (db) => findOrder(db, { id: 'o' }), ['orders_pkey']],
  ['order by client id', (db) => findOrder(db, { clientOrderId: 'c1' }), ['idx_orders_clientorderid']],
  ['orders of a session', (db) => listOrders(db, { sessionId: session }), ['idx_orders_']],
  [
    'orders of a session and symbol',
    (db) => listOrders(db, { sessionId: session, symbol: 'COMMON', status: 'filled', side: 'buy' }),
    ['idx_orders_composite'],
  ],
  [
    'orders of a session and status',
    (db) => listOrders(db, { sessionId: session, status: 'open' }),
    ['idx_orders_composite'],
  ],
  ['latest orders', (db) => listOrders(db), ['idx_orders_timestamp']],
  [
    'latest orders, page after',
    (db) => listOrders(db, { after: { timestamp: firstStartMs + 500, id: 'a' } }),
    ['idx_orders_timestamp'],
  ],
  ['orders of a common status', (db) => listOrders(db, { status: 'FILLED' }), ['idx_orders_timestamp']],
  ['orders of a side', (db) => listOrders(db, { side: 'buy' }), ['idx_orders_timestamp']],
  [
    'orders of a rare status',
    (db) => listOrders(db, { status: 'canceled' }),
    ['idx_orders_timestamp', 'idx_orders_status'],
  ],
  [
    'orders of a rare symbol',
    (db) =>
      listOrders(db, { symbol: 'RARE', side: 'sell', after: { timestamp: firstStartMs + 500, id: 'a' } }),
    ['idx_orders_timestamp', 'idx_orders_symbol'],
  ],
  [
    'orders of a symbol in a rare status',
    (db) => listOrders(db, { symbol: 'COMMON', status: 'canceled' }),
    ['idx_orders_timestamp', 'idx_orders_s'],
  ],
  ['list of open sells', (db) => listOpenSells(db, { sessionId: session }), ['idx_orders_composite']],
  ['order stats of a session', (db) => listOrderStats(db, { sessionId: session }), ['idx_orders_']],
  [
    'order stats of a range',
    (db) => listOrderStats(db, { fromMs: firstStartMs, toMs: firstStartMs + 100 }),
    ['idx_orders_timestamp'],
  ],
  ['fill by id', (db) => findFill(db, { id: 'f' }), ['fills_pkey']],
  ['correct a fill', (db) => ignoreNotFound(correctFill(db, { id: 'f', set: { fee: 1 } })), ['fills_pkey']],
  [
    'fills of an order alone',
    (db) => listFills(db, { orderId: session, symbol: 'COMMON' }),
    ['idx_fills_orderid'],
  ],
  ['open orders of a session', (db) => listOpenOrders(db, { sessionId: session }), ['idx_orders_composite']],
  [
    'open orders of a session and symbol, page after',
    (db) =>
      listOpenOrders(db, {
        sessionId: session,
        symbol: 'COMMON',
        side: 'sell',
        after: { timestamp: firstStartMs, id: 'a' },
      }),
    ['idx_orders_composite'],
  ],
  ['open orders of a symbol', (db) => listOpenOrders(db, { symbol: 'COMMON' }), ['idx_orders_s']],
  ['open orders', (db) => listOpenOrders(db), ['idx_orders_status']],
  [
    'orders of a symbol in given statuses',
    (db) => listOpenOrders(db, { symbol: 'COMMON', statuses: ['Open'] }),
    ['idx_orders_s'],
  ],
  ['orders in given statuses', (db) => listOpenOrders(db, { statuses: ['Open'] }), ['idx_orders_status']],
  [
    'open sells of a symbol in given statuses',
    (db) => hasOpenSells(db, { sessionId: session, symbol: 'COMMON', statuses: ['Open'] }),
    ['idx_orders_composite'],
  ],
  ['open sells', (db) => hasOpenSells(db, { sessionId: session }), ['idx_orders_composite']],
  ['save orders', (db) => saveOrders(db, [{ id: session, status: 'open' }, storedOrder]), ['orders_pkey']],
  ['session by id', (db) => findSession(db, { id: session }), ['sessions_pkey']],
  ['latest sessions', (db) => listSessions(db), ['idx_sessions_startedat']],
  [
    'latest sessions, page after',
    (db) => listSessions(db, { startedAfterMs, after: { startedAt: firstStartMs + 9e7, id: 'a' } }),
    ['idx_sessions_startedat'],
  ],
  [
    'latest sessions, the last page',
    (db) => listSessions(db, { after: unstarted }),
    ['idx_sessions_startedat'],
  ],
  [
    'sessions of a common status and exchange',
    (db) => listSessions(db, { status: 'COMPLETED', exchange: 'okx' }),
    ['idx_sessions_startedat'],
  ],
  [
    'sessions of a rare status',
    (db) => listSessions(db, { status: 'running', exchange: 'okx', startedAfterMs }),
    ['idx_sessions_startedat', 'idx_sessions_status'],
  ],
  [
    'sessions of a rare exchange',
    (db) => listSessions(db, { exchange: 'none', startedAfterMs }),
    ['idx_sessions_startedat', 'idx_sessions_exchange'],
  ],
  [
    'set status',
    (db) => ignoreNotFound(setSessionStatus(db, { sessionId: session, status: 'x' })),
    ['sessions_pkey'],
  ],
  ['reopen', (db) => ignoreNotFound(reopenSettlement(db, { sessionId: session })), ['sessions_pkey']],
  [
    'to settle, never tried first',
    (db) =>
      listSessionsToSettle(db, {
        startedAfterMs,
        order: 'never-tried-first',
        after: { lastSettleAttempt: null, startedAt: firstStartMs + 9.9e7, id: 'a' },
      }),
    ['idx_sessions_settlement_discovery'],
  ],
  [
    'save sessions',
    (db) =>
      saveSessions(db, [
        { id: session, status: 'x' },
        { id: storedOrder.id, pairs: ['RARE'] },
      ]),
    ['sessions_pkey'],
  ],
  ['fills of a session', (db) => listFills(db, { sessionId: session }), ['idx_fills_session']],
  [
    'fills of a session, page after',
    (db) => listFills(db, { sessionId: session, after: { timestamp: firstStartMs + 9e7, id: 'a' } }),
    ['idx_fills_session'],
  ],
  [
    'fills of a session and symbol',
    (db) => listFills(db, { sessionId: session, symbol: 'COMMON' }),
    ['idx_fills_session'],
  ],
  [
    'fills of an order',
    (db) => listFills(db, { sessionId: session, orderId: session, symbol: 'COMMON' }),
    ['orderid'],
  ],
  [
    'fills in a range',
    (db) => listFillsInRange(db, { symbol: 'COMMON', fromMs: firstStartMs, toMs: firstStartMs + 9e7 }),
    ['idx_fills_symbol'],
  ],
  [
    'fills in a range, page after',
    (db) =>
      listFillsInRange(db, {
        symbol: 'RARE',
        fromMs: firstStartMs,
        toMs: firstStartMs + 1e12,
        after: { timestamp: firstStartMs + 9e7, id: 'a' },
      }),
    ['idx_fills_symbol'],
  ],
  ['latest fill of a symbol', (db) => findLatestFill(db, { symbol: 'RARE' }), ['idx_fills_symbol_timestamp']],
  ['latest fill of a session', (db) => findLatestFill(db, { sessionId: session }), ['idx_fills_session']],
  [
    'insert fills',
    (db) => insertFills(db, [storedFill, { id: 'new', symbol: 'COMMON' }], { reportAlike: true }),
    ['fills_pkey', 'idx_fills_'],
  ],
  [
    'performance of a session',
    (db) => listPairPerformance(db, { sessionId: session }),
    ['idx_fills_session'],
  ],
  [
    'performance in a range',
    (db) => listPairPerformance(db, { fromMs: firstStartMs, toMs: firstStartMs + 1e6 }),
    ['idx_fills_timestamp'],
  ],
  [
    'volume of a pair',
    (db) => listPairVolume(db, { ...lastHour, symbols: ['COMMON', 'RARE'] }),
    // Of two pairs, one is as good as the other.
    ['timestamp on fills'],
  ],
  ['profit and loss of all', (db) => listPairPnl(db, { method: 'fifo' }), ['idx_fills_symbol_timestamp']],
  [
    'profit and loss of all, page after, as of an instant',
    (db) => listPairPnl(db, { method: 'fifo', atMs: firstStartMs + 1e6, after: { symbol: 'COMMON' } }),
    ['idx_fills_symbol'],
  ],
  [
    'profit and loss of a session',
    (db) => listPairPnl(db, { method: 'average', sessionId: tradedSession }),
    ['idx_fills_session'],
  ],
  [
    'profit and loss of an exchange',
    (db) => listPairPnl(db, { method: 'average', exchange: 'okx', atMs: firstStartMs + 1e6 }),
    ['idx_sessions_exchange', 'idx_fills_session', 'idx_fills_symbol_timestamp', 'sessions_pkey'],
  ],
  [
    'equity of all',
    (db) => listEquity(db, { ...lastHour, method: 'fifo', quoteRates: { COMMON: '1', RARE: '1' } }),
    ['idx_fills_symbol_timestamp'],
  ],
  ['volume of all pairs', (db) => listPairVolume(db, lastHour), ['idx_fills_timestamp']],
];

/**
 * Not proven: with fresh statistics PostgreSQL 15 takes another way for these. It sorts what idx_fills_symbol finds for the
 * pages of a pair, and reads all fills, two processes at once, for those of a session.
 */
const otherwiseOn15: readonly string[] = [
  'profit and loss of all',
  'profit and loss of a session',
  'equity of all',
];

describe.each(serverVersions)(`PostgreSQL %i, ${rows} sessions, orders and fills`, (version) => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await createDatabase(version, 'migrated');
    sql = database.connect({ max: 1 });
    await loadSessions(sql, rows, 500);
    await loadOrders(sql, rows);
    await loadFills(sql, rows);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  describe.each(['fresh', 'none'] as const)('statistics: %s', (statistics) => {
    beforeAll(() => setStatistics(sql, statistics));

    const known = version === 15 && statistics === 'fresh' ? otherwiseOn15 : [];
    test.each(calls.filter(([name]) => !known.includes(name)))('%s', async (_, call, indexes) => {
      const statements: { text: string; params: unknown[] }[] = [];
      const db = drizzle(sql, { logger: { logQuery: (text, params) => statements.push({ text, params }) } });
      await db
        .transaction(async (tx) => {
          await call(tx as unknown as ReturnType<typeof drizzle>);
          throw new Undo();
        })
        .catch(ignoreUndo);
      for (const mode of ['force_custom_plan', 'force_generic_plan'] as const) {
        const plans = await Promise.all(
          statements
            .filter(({ text }) => !/^\s*(begin|commit|set)/i.test(text))
            .map(({ text, params }) => explain(sql, mode, text, params)),
        );
        for (const plan of plans) {
          expect(plan, plan).not.toMatch(/Seq Scan on (sessions|orders|fills)/);
        }
        for (const index of indexes) {
          expect(
            plans.some((plan) => plan.includes(index)),
            `${index} in\n${plans.join('\n')}`,
          ).toBe(true);
        }
      }
    });
  });
});

/** The plan that a prepared statement gets, with its values known or not. */
async function explain(sql: Sql, mode: string, text: string, params: readonly unknown[]): Promise<string> {
  return sql.begin(async (tx) => {
    await tx.unsafe(`set local plan_cache_mode = ${mode}`);
    await tx.unsafe(`prepare explained as ${text}`);
    const values = params.map((value) =>
      value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`,
    );
    const lines = await tx.unsafe(`explain (costs off) execute explained(${values.join(', ')})`);
    await tx.unsafe('deallocate explained');
    return lines.map((line) => String(line['QUERY PLAN'])).join('\n');
  });
}

class Undo extends Error {}
function ignoreUndo(error: unknown): void {
  if (!(error instanceof Undo)) throw error;
}
async function ignoreNotFound(call: Promise<unknown>): Promise<void> {
  await call.catch((error) => {
    if (error?.code !== 'not_found') throw error;
  });
}
