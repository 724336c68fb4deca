import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type FillInput,
  insertFills,
  insertSession,
  listEquity,
  listPairPnl,
} from '../../../src/queries/index.ts';
import { formatDecimal, multiply, parseDecimal, shortestFloat4 } from '../../support/decimal.ts';
import { emptyTables, type OpenHandle, openPglite } from '../../support/handles.ts';
import { type PlainTrade, plainPnl, toTexts } from '../../support/plain-pnl.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());
beforeEach(() => emptyTables(handle.db));

const methods = ['fifo', 'average'] as const;
const hour = 3_600_000;

/** Rates into USD, and those that a fee needs none for. */
const rates: Readonly<Record<string, string>> = { BNB: '600.123', ETH: '2611.4', SOL: '151', '': '0.5' };
const btcRate = '61837.63';
const feeRates = { ...rates, BTC: { 'BTC/USD': btcRate } };
const rateOf = (currency: string) =>
  currency === 'USD' ? '1' : currency === 'BTC' ? btcRate : (rates[currency] ?? 'missing');

const symbols = ['BTC/USD', 'ETH/USD', 'SOL/USD'] as const;
/** Below 2^24: of a larger float4 a decimal may lie half way to the next, and then it is not the text of either. */
const decimal = fc.tuple(fc.integer({ min: 0, max: 9_999_999 }), fc.integer({ min: -9, max: 0 }));
const fill = fc.record({
  symbol: fc.constantFrom(...symbols),
  side: fc.constantFrom('buy', 'SELL', 'Sell', 'BUY'),
  // Few prices of a lot, so that neighbours are alike; and any.
  price: fc.oneof(
    fc.constantFrom('100', '101', '0.1'),
    decimal.map(([n, e]) => `${n}e${e}`),
  ),
  size: fc.oneof(
    fc.constantFrom('1', '2', '3', '0'),
    decimal.map(([n, e]) => `${n}e${e}`),
  ),
  // Few moments, so that many fills are of one.
  timestamp: fc.integer({ min: 0, max: 9 }).map((n) => n * (hour / 3)),
  fee: fc.option(
    fc.tuple(fc.constantFrom('USD', 'base', 'BNB', ''), fc.constantFrom('0.1', '-0.02', '1e-8')),
  ),
});
type Drawn = typeof fill extends fc.Arbitrary<infer T> ? T : never;

const idOf = (i: number) => String(i).padStart(5, '0');
const currencyOf = ({ symbol, fee }: Drawn) => (fee?.[0] === 'base' ? symbol.slice(0, 3) : (fee?.[0] ?? ''));

const toInput = (drawn: Drawn, i: number): FillInput => ({
  ...{ id: idOf(i), sessionId: 's', tradeId: i, symbol: drawn.symbol, side: drawn.side },
  ...{ price: drawn.price, size: drawn.size, timestamp: drawn.timestamp },
  ...(drawn.fee && { fees: { [currencyOf(drawn)]: drawn.fee[1] } }),
});

const inOrder = (drawn: readonly Drawn[]): readonly Drawn[] =>
  drawn.toSorted((a, b) => a.timestamp - b.timestamp);
const tradesOf = (drawn: readonly Drawn[]): PlainTrade[] =>
  drawn.map(({ side, price, size }) => {
    const quantity = shortestFloat4(Number(size));
    return {
      quantity: side.toLowerCase() === 'buy' ? quantity : -quantity,
      price: shortestFloat4(Number(price)),
    };
  });
const lastPriceOf = (drawn: readonly Drawn[]): string =>
  formatDecimal(shortestFloat4(Number(drawn.at(-1)?.price)));
const feesOf = (drawn: readonly Drawn[]): bigint =>
  drawn.reduce(
    (sum, one) =>
      one.fee === null
        ? sum
        : sum + multiply(parseDecimal(one.fee[1]), parseDecimal(rateOf(currencyOf(one)))),
    0n,
  );
/** Those of each pair that was traded, in their order. */
const byPair = (drawn: readonly Drawn[]) =>
  symbols
    .map((symbol) => ({ symbol, fills: inOrder(drawn).filter((one) => one.symbol === symbol) }))
    .filter(({ fills }) => fills.length > 0);

test('of random fills cash flow + position × mark = realised + unrealised, as a plain reading has it', async () => {
  const seen = { crossed: 0, closed: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fill, { minLength: 1, maxLength: 120, size: 'max' }),
      fc.integer({ min: -1, max: 9 * (hour / 3) }),
      fc.constantFrom(...methods),
      async (drawn, atMs, method) => {
        await emptyTables(handle.db);
        await insertSession(handle.db, { id: 's' });
        await insertFills(handle.db, drawn.map(toInput));
        const marks = { 'BTC/USD': '61837.631', 'ETH/USD': '0', 'SOL/USD': '151.2' };
        const options = { method, marks, feeRates, sessionId: 's' };
        for (const [at, rows] of [
          [Number.POSITIVE_INFINITY, await listPairPnl(handle.db, options)],
          [atMs, await listPairPnl(handle.db, { ...options, atMs })],
          [atMs, await listPairPnl(handle.db, { method, marks, feeRates, atMs })],
        ] as const) {
          expect(rows.map(({ symbol }) => symbol)).toEqual(byPair(drawn).map(({ symbol }) => symbol));
          for (const [i, { symbol, fills }] of byPair(drawn).entries()) {
            const row = rows[i];
            const counted = fills.filter(({ timestamp }) => timestamp <= at);
            const plain = plainPnl(tradesOf(counted), method);
            expect(row).toMatchObject({ ...toTexts(plain), fillCount: counted.length, excludedCount: 0 });
            expect(row?.fees).toBe(formatDecimal(feesOf(counted)));
            const mark = parseDecimal(marks[symbol]);
            expect(formatDecimal(plain.cashFlow + multiply(plain.position, mark))).toBe(
              formatDecimal(parseDecimal(row?.realizedPnl ?? '') + parseDecimal(row?.unrealizedPnl ?? '')),
            );
            if (plain.position < 0n) seen.crossed++;
            if (plain.realized !== 0n) seen.closed++;
          }
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(seen.crossed).toBeGreaterThan(20);
  expect(seen.closed).toBeGreaterThan(20);
});

test('of random fills equity at the end of a bucket is the P&L as of then, its fees taken off once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fill, { maxLength: 60, size: 'max' }),
      fc.integer({ min: 0, max: hour }),
      fc.constantFrom(...methods),
      async (drawn, fromMs, method) => {
        await emptyTables(handle.db);
        await insertSession(handle.db, { id: 's', exchange: 'okx' });
        await insertFills(handle.db, drawn.map(toInput));
        const toMs = 3 * hour - 1;
        const scope = { method, feeRates, exchange: 'okx' };
        const rows = await listEquity(handle.db, { ...scope, bucket: 'hour', fromMs, toMs });
        const levelAt = async (endMs: number) => {
          const past = byPair(drawn.filter(({ timestamp }) => timestamp < endMs));
          const marks = Object.fromEntries(past.map(({ symbol, fills }) => [symbol, lastPriceOf(fills)]));
          const pairs = await listPairPnl(handle.db, { ...scope, marks, atMs: endMs - 1 });
          const sum = (key: 'realizedPnl' | 'unrealizedPnl' | 'fees') =>
            pairs.reduce((total, row) => total + parseDecimal(row[key] ?? '0'), 0n);
          return { realized: sum('realizedPnl'), unrealized: sum('unrealizedPnl'), fees: sum('fees') };
        };
        const opening = await levelAt(fromMs);
        let peak = opening.realized + opening.unrealized - opening.fees;
        for (const row of rows) {
          const { realized, unrealized, fees } = await levelAt(Math.min(row.bucketStartMs + hour, toMs));
          const equity = realized + unrealized - fees;
          if (equity > peak) peak = equity;
          expect(row).toMatchObject({
            ...{ realizedPnl: formatDecimal(realized), unrealizedPnl: formatDecimal(unrealized) },
            ...{ fees: formatDecimal(fees), equity: formatDecimal(equity) },
            ...{ peak: formatDecimal(peak), drawdown: formatDecimal(peak - equity) },
          });
        }
        expect(rows.map(({ bucketStartMs }) => bucketStartMs)).toEqual(
          [0, hour, 2 * hour].filter((start) => start + hour > fromMs),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('more fills than one statement reads are each read once, also where a moment is cut in two', async () => {
  const count = 25_000;
  await handle.db.execute(sql`insert into sessions (id, exchange) values ('s', 'okx')`);
  // 7 fills of each moment, whose ids come in another order than they are stored.
  await handle.db.execute(sql`
    insert into fills (id, sessionid, symbol, side, price, size, tradeid, timestamp)
    select md5(i::text), 's', 'A', case when i % 5 < 2 then 'buy' else 'sell' end, 90 + i % 21, 1 + i % 3, i, i / 7
    from generate_series(0, ${sql.raw(String(count - 1))}) as i`);
  const stored = await handle.db.execute(sql`
    select side, price::text, size::text from fills order by timestamp, id collate "C"`);
  const rows: { side: string; price: string; size: string }[] = JSON.parse(JSON.stringify(stored)).rows;
  expect(rows).toHaveLength(count);
  const trades = rows.map(({ side, price, size }) => ({
    quantity: parseDecimal(side === 'buy' ? size : `-${size}`),
    price: parseDecimal(price),
  }));
  for (const method of methods) {
    const expected = { ...toTexts(plainPnl(trades, method)), fillCount: count };
    for (const scope of [{}, { sessionId: 's' }, { exchange: 'okx' }]) {
      expect(await listPairPnl(handle.db, { method, ...scope })).toMatchObject([expected]);
    }
  }
});
