import { drizzle } from 'drizzle-orm/pg-proxy';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import * as queries from '../../src/queries/index.ts';
import * as schemas from '../../src/zod/index.ts';

/** A database without rows. */
const db = drizzle(async () => ({ rows: [] }));

/** Values that an option of this name may have; each comes with the wrong ones below, too. */
const right: Record<string, readonly unknown[]> = {
  limit: [1, 1000],
  pageSize: [1, 1000],
  exchange: ['okx'],
  pair: ['BTC/USD'],
  pairs: [[], ['A', '']],
  match: ['all', 'any'],
  minPairs: [0, 2_147_483_647],
  sessionId: ['s'],
  orderId: ['o'],
  symbol: ['A', ''],
  symbols: [['A']],
  id: ['o'],
  clientOrderId: ['c'],
  exchangeOrderId: ['x'],
  status: ['filled'],
  statuses: [['open']],
  side: ['buy', 'sell', 'SELL', 'bUy'],
  complete: [true, false],
  set: [{ fee: '0.1' }, { side: null, tradeId: 7n }],
  order: ['newest', 'never-tried-first'],
  bucket: ['hour', 'day'],
  method: ['fifo', 'average'],
  marks: [{}, { 'BTC/USD': '-1e-3' }],
  feeRates: [{}, { BNB: '600.5', '': '.5' }, { BNB: { 'BTC/USD': '1e2' } }],
  quoteRates: [{ USD: '+1' }],
  atMs: [5, -1],
  lookbackHours: [0.5, 1_000_000],
  startedAfterMs: [0, -1],
  attempts: [1, 100],
  baseDelayMs: [1, 3_600_000],
  maxDelayMs: [1, 50, 3_600_000],
  retry: [{}, { attempts: 3, baseDelayMs: 100 }, { maxDelayMs: 100 }, { maxDelayMs: 99 }, { tries: 1 }],
  concurrency: [1, 100],
  retryAfterMs: [1_000, 86_400_000],
  whenIdle: ['wait', 'end'],
  idleDelayMs: [10, 3_600_000],
  transaction: [true, false],
  fromMs: [0, 5],
  toMs: [5, 7_200_000],
};
const keys = {
  session: [
    { startedAt: 1, id: 'a' },
    { startedAt: null, id: 'a' },
  ],
  attempt: [
    { lastSettleAttempt: 3, startedAt: 1, id: 'a' },
    { lastSettleAttempt: null, startedAt: 1, id: 'a' },
    { startedAt: 1, id: 'a' },
  ],
  time: [
    { timestamp: 5, id: 'a' },
    { timestamp: null, id: 'a' },
  ],
  group: [{ firstId: 'a' }],
  symbol: [{ symbol: 'A' }, { symbol: null }],
  stats: [
    { symbol: 'A', side: null, status: 'open' },
    { symbol: null, side: 'buy', status: null },
  ],
  bucket: [{ bucketStartMs: 0, symbol: 'A' }],
  start: [{ bucketStartMs: 0 }],
};
const wrong = [
  ...[null, 'a\0', '\ud800', 7.5, -1, 0, 1001, 2 ** 53, Number.NaN, true, ['a\0'], [7], {}],
  ...[
    { A: 1 },
    { A: '-1' },
    { A: 'NaN' },
    { A: '1e1000' },
    { 'a\0': '1' },
    { A: { B: '-1' } },
    { A: [] },
    new Map(),
  ],
  { A: '1'.repeat(101) },
];

type Case = readonly [
  schema: z.ZodType,
  run: (options: never) => unknown,
  required: string,
  optional: string,
  after?: keyof typeof keys,
];

const cases: Record<string, Case> = {
  listSessionsToSettle: [
    schemas.listSessionsToSettleOptionsSchema,
    (options) => queries.listSessionsToSettle(db, options),
    '',
    'limit pair exchange lookbackHours startedAfterMs order',
    'session',
  ],
  'listSessionsToSettle in the order of the claims': [
    schemas.listSessionsToSettleOptionsSchema,
    (options) => queries.listSessionsToSettle(db, options),
    '',
    'limit pair exchange startedAfterMs order',
    'attempt',
  ],
  withRetry: [
    schemas.withRetryOptionsSchema,
    (options) => queries.withRetry(async () => {}, options),
    '',
    'attempts baseDelayMs maxDelayMs',
  ],
  settleSessions: [
    schemas.settleSessionsOptionsSchema,
    // Stopped before it begins.
    (options: object) =>
      queries.settleSessions(db, async () => {}, { ...options, signal: AbortSignal.abort() }),
    '',
    'pair exchange lookbackHours startedAfterMs concurrency retryAfterMs retry whenIdle idleDelayMs transaction',
  ],
  reopenSettlement: [
    schemas.reopenSettlementOptionsSchema,
    (options) => queries.reopenSettlement(db, options),
    'sessionId',
    '',
  ],
  findSession: [schemas.findSessionOptionsSchema, (options) => queries.findSession(db, options), 'id', ''],
  listSessions: [
    schemas.listSessionsOptionsSchema,
    (options) => queries.listSessions(db, options),
    '',
    'status exchange startedAfterMs limit',
    'session',
  ],
  setSessionStatus: [
    schemas.setSessionStatusOptionsSchema,
    (options) => queries.setSessionStatus(db, options),
    'sessionId status',
    '',
  ],
  recordSettlement: [
    schemas.recordSettlementOptionsSchema,
    (options) => queries.recordSettlement(db, options),
    'sessionId complete',
    '',
  ],
  listSessionsByPair: [
    schemas.listSessionsByPairOptionsSchema,
    (options) => queries.listSessionsByPair(db, options),
    'pair',
    'limit exchange',
    'session',
  ],
  listSessionsByPairs: [
    schemas.listSessionsByPairsOptionsSchema,
    (options) => queries.listSessionsByPairs(db, options),
    'pairs match',
    'limit exchange',
    'session',
  ],
  listMultiPairSessions: [
    schemas.listMultiPairSessionsOptionsSchema,
    (options) => queries.listMultiPairSessions(db, options),
    '',
    'minPairs limit exchange',
    'session',
  ],
  setSessionPairs: [
    schemas.setSessionPairsOptionsSchema,
    (options) => queries.setSessionPairs(db, options),
    'sessionId pairs',
    '',
  ],
  findOrder: [
    schemas.findOrderOptionsSchema,
    (options) => queries.findOrder(db, options),
    '',
    'id clientOrderId exchangeOrderId',
  ],
  'findOrder by the id of the venue': [
    schemas.findOrderOptionsSchema,
    (options) => queries.findOrder(db, options),
    'exchangeOrderId sessionId',
    '',
  ],
  listOrders: [
    schemas.listOrdersOptionsSchema,
    (options) => queries.listOrders(db, options),
    '',
    'sessionId symbol status side limit',
    'time',
  ],
  listOpenSells: [
    schemas.listOpenSellsOptionsSchema,
    (options) => queries.listOpenSells(db, options),
    'sessionId',
    'symbol statuses limit',
    'time',
  ],
  listOrderStats: [
    schemas.listOrderStatsOptionsSchema,
    (options) => queries.listOrderStats(db, options),
    '',
    'sessionId fromMs toMs symbol limit',
    'stats',
  ],
  findFill: [schemas.findFillOptionsSchema, (options) => queries.findFill(db, options), 'id', ''],
  correctFill: [
    schemas.correctFillOptionsSchema,
    (options) => queries.correctFill(db, options),
    'id set',
    '',
  ],
  listOpenOrders: [
    schemas.listOpenOrdersOptionsSchema,
    (options) => queries.listOpenOrders(db, options),
    '',
    'sessionId symbol statuses side limit',
    'time',
  ],
  hasOpenSells: [
    schemas.hasOpenSellsOptionsSchema,
    (options) => queries.hasOpenSells(db, options),
    'sessionId',
    'symbol statuses',
  ],
  listFills: [
    schemas.listFillsOptionsSchema,
    (options) => queries.listFills(db, options),
    '',
    'sessionId symbol orderId limit',
    'time',
  ],
  listFillsInRange: [
    schemas.listFillsInRangeOptionsSchema,
    (options) => queries.listFillsInRange(db, options),
    'symbol fromMs toMs',
    'limit',
    'time',
  ],
  'streamFills of either': [
    schemas.streamFillsOptionsSchema,
    (options) => queries.streamFills(db, options)[Symbol.asyncIterator]().next(),
    '',
    'sessionId symbol orderId fromMs toMs pageSize',
  ],
  'streamFills of a session': [
    schemas.streamFillsOptionsSchema,
    (options) => queries.streamFills(db, options)[Symbol.asyncIterator]().next(),
    'sessionId',
    'symbol orderId pageSize',
  ],
  'streamFills of a range': [
    schemas.streamFillsOptionsSchema,
    (options) => queries.streamFills(db, options)[Symbol.asyncIterator]().next(),
    'symbol fromMs toMs',
    'pageSize',
  ],
  findLatestFill: [
    schemas.findLatestFillOptionsSchema,
    (options) => queries.findLatestFill(db, options),
    '',
    'sessionId symbol orderId',
  ],
  listDuplicateFills: [
    schemas.listDuplicateFillsOptionsSchema,
    (options) => queries.listDuplicateFills(db, options),
    '',
    'limit',
    'group',
  ],
  listPairPerformance: [
    schemas.listPairPerformanceOptionsSchema,
    (options) => queries.listPairPerformance(db, options),
    '',
    'sessionId fromMs toMs limit',
    'symbol',
  ],
  'listPairPnl of either': [
    schemas.listPairPnlOptionsSchema,
    (options) => queries.listPairPnl(db, options),
    'method',
    'sessionId exchange marks feeRates atMs limit',
    'symbol',
  ],
  'listPairPnl of all': [
    schemas.listPairPnlOptionsSchema,
    (options) => queries.listPairPnl(db, options),
    'method',
    'marks feeRates',
  ],
  'listEquity of either': [
    schemas.listEquityOptionsSchema,
    (options) => queries.listEquity(db, options),
    'method bucket fromMs toMs',
    'sessionId exchange feeRates quoteRates limit',
    'start',
  ],
  listPairVolume: [
    schemas.listPairVolumeOptionsSchema,
    (options) => queries.listPairVolume(db, options),
    'bucket fromMs toMs',
    'symbols limit',
    'bucket',
  ],
};

const arbitraryOf = (rights: readonly unknown[], isRequired: boolean) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...rights) },
    { weight: isRequired ? 1 : 10, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  );

describe('a schema takes what its function takes', () => {
  test.each(Object.entries(cases))('%s', async (_, [schema, run, required, optional, after]) => {
    const names = (list: string) => list.split(' ').filter((name) => name !== '');
    const options = fc.record(
      Object.fromEntries([
        ...names(required).map((name) => [name, arbitraryOf(right[name] ?? [], true)]),
        ...names(optional).map((name) => [name, arbitraryOf(right[name] ?? [], false)]),
        ...(after === undefined ? [] : [['after', arbitraryOf(keys[after], false)]]),
      ]),
    );
    const seen = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(options, async (values) => {
        const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
        const error = await Promise.resolve()
          .then(() => run(given as never))
          .then(
            () => undefined,
            (thrown: unknown) => (thrown instanceof queries.NotFoundError ? undefined : thrown),
          );
        if (error !== undefined) expect(error).toBeInstanceOf(queries.InvalidArgumentError);
        expect(schema.safeParse(given).success).toBe(error === undefined);
        // A key that is there without a value is as good as none.
        expect(schema.safeParse(values).success).toBe(error === undefined);
        seen[error === undefined ? 'taken' : 'refused']++;
      }),
      { numRuns: 300 },
    );
    expect(seen.taken).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });
});

test('a map is no object that leaves every key out', () => {
  expect(schemas.settleSessionsOptionsSchema.safeParse({ retry: new Map() }).success).toBe(false);
  expect(schemas.settleSessionsOptionsSchema.parse({ retry: {} })).toEqual({ retry: {} });
  expect(schemas.withRetryOptionsSchema.safeParse(new Map()).success).toBe(false);
});

test('a page’s last row is a key, whatever else it holds', () => {
  const row = { id: 's', startedAt: 5, exchange: 'okx', pairs: ['A'] };
  expect(schemas.listSessionsByPairOptionsSchema.parse({ pair: 'A', after: row })).toEqual({
    pair: 'A',
    after: { id: 's', startedAt: 5 },
  });
  expect(schemas.claimSessionsToSettleOptionsSchema.parse({ retryAfterMs: 0 })).toEqual({ retryAfterMs: 0 });
  expect(schemas.claimSessionsToSettleOptionsSchema.safeParse({ after: row }).success).toBe(false);
});
