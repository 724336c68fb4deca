import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  type FillInput,
  InvalidArgumentError,
  insertFills,
  insertSession,
  listEquity,
  listPairPerformance,
  listPairPnl,
} from '../../../src/queries/index.ts';
import type { Run } from './variants.ts';

let number = 0;
/** In the order in which they are called, all in the session `s`, a second apart. */
const fill = (
  symbol: string | null,
  side: string | null,
  price: FillInput['price'],
  size: FillInput['size'],
  rest: Partial<FillInput> = {},
): FillInput => {
  const id = `f${String(++number).padStart(5, '0')}`;
  return {
    id,
    tradeId: number,
    sessionId: 's',
    symbol,
    side,
    price,
    size,
    timestamp: number * 1000,
    ...rest,
  };
};
const ofSession = { sessionId: 's' };
const fifo = { ...ofSession, method: 'fifo' } as const;
const average = { ...ofSession, method: 'average' } as const;
const hour = 3_600_000;

export function pnlSuite(run: Run): void {
  test('pnl: nothing was traded', () =>
    run(async (db) => {
      for (const scope of [{}, ofSession, { exchange: 'okx' }]) {
        expect(await listPairPnl(db, { ...scope, method: 'fifo' })).toEqual([]);
        expect(
          await listEquity(db, { ...scope, method: 'fifo', bucket: 'hour', fromMs: 0, toMs: hour }),
        ).toMatchObject([{ bucketStartMs: 0, equity: '0', peak: '0', drawdown: '0', fillCount: 0 }]);
      }
      expect(await listEquity(db, { ...fifo, bucket: 'day', fromMs: 5, toMs: 5 })).toEqual([]);
    }));

  test('pnl: the worked example of the docstring, a long that turns short', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', exchange: 'okx' });
      await insertFills(db, [
        fill('BTC/USD', 'buy', 100, 2),
        fill('BTC/USD', 'BUY', 106, 1),
        fill('BTC/USD', 'sell', 105, 2),
      ]);
      const marks = { 'BTC/USD': '108' };
      const open = { position: '1', cashFlow: '-96' };
      expect(await listPairPnl(db, fifo)).toMatchObject([
        { ...open, realizedPnl: '10', positionCost: '106' },
      ]);
      expect(await listPairPnl(db, average)).toMatchObject([
        { ...open, realizedPnl: '6', positionCost: '102', averageCost: '102', unrealizedPnl: null },
      ]);
      await insertFills(db, [fill('BTC/USD', 'Sell', 110, 2)]);
      const row = {
        ...{ symbol: 'BTC/USD', fillCount: 4, excludedCount: 0, position: '-1', positionCost: '-110' },
        ...{ averageCost: '110', cashFlow: '124', realizedPnl: '14', unrealizedPnl: '2' },
        ...{ fees: '0', unreadableFeeCount: 0 },
      };
      for (const scope of [ofSession, { exchange: 'okx' }, {}]) {
        for (const method of ['fifo', 'average'] as const) {
          expect(await listPairPnl(db, { ...scope, method, marks })).toEqual([row]);
        }
      }
      expect(await listPairPnl(db, { method: 'fifo', exchange: 'kraken' })).toEqual([]);
      expect(await listPairPnl(db, { method: 'fifo', sessionId: 'other' })).toEqual([]);
      await insertFills(db, [fill('BTC/USD', 'buy', 90, 1)]);
      // Nothing is open: it needs no mark.
      expect(await listPairPnl(db, average)).toMatchObject([
        { position: '0', positionCost: '0', averageCost: null, realizedPnl: '34', unrealizedPnl: '0' },
      ]);
    }));

  // https://www.investopedia.com/professionals/questionoftheweek/cfa/110706.asp: 8 of 12 widgets are sold.
  test('pnl: FIFO of a published example: cost of goods sold 5,900, profit 2,100, inventory 3,300', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      const bought = [
        [700, 2],
        [600, 1],
        [750, 2],
        [800, 3],
        [825, 4],
      ] as const;
      await insertFills(db, [
        ...bought.map(([price, size]) => fill('W', 'buy', price, size)),
        fill('W', 'sell', 1000, 8),
      ]);
      expect(await listPairPnl(db, fifo)).toMatchObject([
        { cashFlow: '-1200', realizedPnl: '2100', position: '4', positionCost: '3300', averageCost: '825' },
      ]);
    }));

  // HMRC, helpsheet HS284, example 3: a Section 104 holding. Its costs of buying are part of the price here (4,150 / 1,000
  // and 2,130 / 500), those of selling are fees. It rounds to pounds: gain 329, holding 3,349, then cost 1,675, gain 300.
  test('pnl: average cost of a published example: gains of 329 and 300 after costs, 1,674.67 left', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertFills(db, [
        fill('LOBSTER/GBP', 'buy', '4.15', 1000),
        fill('LOBSTER/GBP', 'buy', '4.26', 500),
        fill('LOBSTER/GBP', 'sell', '4.80', 700, { fees: { GBP: 100 } }),
      ]);
      expect(await listPairPnl(db, average)).toMatchObject([
        { realizedPnl: '429.333333333333333333', fees: '100', positionCost: '3349.333333333333333333' },
      ]);
      await insertFills(db, [fill('LOBSTER/GBP', 'sell', '5.20', 400, { fees: { GBP: 105 } })]);
      expect(await listPairPnl(db, average)).toMatchObject([
        { realizedPnl: '834.666666666666666666', fees: '205', positionCost: '1674.666666666666666666' },
      ]);
      await insertFills(db, [fill('LOBSTER/GBP', 'sell', '4', 400)]);
      // What was rounded away has come out: 1600 − 6280 + 3360 + 2080 to the last digit.
      expect(await listPairPnl(db, average)).toMatchObject([{ realizedPnl: '760', positionCost: '0' }]);
    }));

  test('pnl: what can not be counted is said, and only the fees of what has no place are left out', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', exchange: 'okx' });
      const fee = { fees: { USD: '0.5' } };
      await insertFills(db, [
        fill('A/USD', 'buy', 100, 1, fee),
        fill('A/USD', null, 100, 1, fee),
        fill('A/USD', 'short', 100, 1),
        fill('A/USD', 'buy', null, 1),
        fill('A/USD', 'buy', 1, null, { fees: { USD: 'x' } }),
        fill('A/USD', 'buy', 100, 1, { timestamp: null, ...fee }),
        fill('B/USD', 'buy', 3, null, { amount: 2 }),
        fill('B/USD', 'buy', 3, null, { quantity: 1 }),
        fill('B/USD', 'buy', 7, 1),
        fill('C/USD', 'buy', 1, 1, { timestamp: null }),
        fill(null, 'buy', 1, 1, fee),
        fill(null, 'buy', 1, 1, { timestamp: null }),
      ]);
      await db.execute(sql`update fills set price = 'NaN' where price = 7`);
      const nothing = { fillCount: 0, position: '0', realizedPnl: '0', fees: '0' };
      const expected = [
        { symbol: 'A/USD', fillCount: 1, excludedCount: 5, position: '1', fees: '1', unreadableFeeCount: 1 },
        { symbol: 'B/USD', fillCount: 2, excludedCount: 1, position: '3', positionCost: '9' },
        { symbol: 'C/USD', ...nothing, excludedCount: 1 },
        { symbol: null, ...nothing, excludedCount: 2 },
      ];
      for (const scope of [ofSession, { exchange: 'okx' }, {}]) {
        const rows = await listPairPnl(db, { ...scope, method: 'fifo' });
        expect(rows).toMatchObject(expected);
        const pages = [];
        let after: { symbol: string | null } | undefined;
        do {
          const page = await listPairPnl(db, { ...scope, method: 'fifo', limit: 1, after });
          pages.push(...page);
          after = page[0];
        } while (after !== undefined);
        expect(pages).toEqual(rows);
        // Before the first: only what has no time is there at all.
        expect(await listPairPnl(db, { ...scope, method: 'fifo', atMs: 0 })).toMatchObject([
          { symbol: 'A/USD', ...nothing, excludedCount: 1 },
          { symbol: 'B/USD', ...nothing, excludedCount: 0 },
          { symbol: 'C/USD', ...nothing, excludedCount: 1 },
          { symbol: null, ...nothing, excludedCount: 1 },
        ]);
        await db.execute(sql`update fills set timestamp = 5e12 where symbol is null and timestamp is null`);
        const later = await listPairPnl(db, { ...scope, method: 'fifo', atMs: 0 });
        expect(later.at(-1)).toMatchObject({ symbol: null, ...nothing, excludedCount: 0 });
        await db.execute(sql`update fills set timestamp = null where timestamp = 5e12`);
        expect(
          await listEquity(db, { ...scope, method: 'fifo', bucket: 'day', fromMs: 0, toMs: 24 * hour }),
        ).toMatchObject([{ fillCount: 3, excludedCount: 9, unreadableFeeCount: 1, fees: '1' }]);
      }
    }));

  test('pnl: the instant itself counts, fills of one moment come by id, zero and negative sizes are what they are', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      const at = (id: string, timestamp: number) => ({ id, timestamp });
      await insertFills(db, [
        fill('A', 'sell', 110, 1, at('b', 1000)),
        fill('A', 'buy', 100, 1, at('c', 1000)),
        fill('A', 'buy', 90, 1, at('a', 1000)),
        fill('A', 'buy', 50, 0, at('d', 1000)),
        fill('A', 'buy', 80, 1, at('e', 1001)),
      ]);
      expect(await listPairPnl(db, { ...fifo, atMs: 1000 })).toMatchObject([
        { fillCount: 4, position: '1', positionCost: '100', realizedPnl: '20' },
      ]);
      expect(await listPairPnl(db, { ...fifo, atMs: 999 })).toMatchObject([{ fillCount: 0, position: '0' }]);
      expect(await listPairPnl(db, { ...fifo, atMs: 1001 })).toMatchObject([
        { fillCount: 5, position: '2', positionCost: '180', realizedPnl: '20' },
      ]);
      await insertFills(db, [fill('A', 'buy', 70, -2, { timestamp: 2000 })]);
      expect(await listPairPnl(db, fifo)).toMatchObject([{ position: '0', realizedPnl: '-20' }]);
    }));

  test('pnl: the largest and the smallest that float4 holds, and times beyond 2^53, lose nothing', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertFills(db, [
        fill('A', 'buy', '3.4028235e38', '3.4028235e38'),
        fill('A', 'sell', '1e-45', '1e-45'),
        fill('B', 'sell', '0.1', '0.2'),
        fill('B', 'buy', '0.3', '0.6'),
      ]);
      await db.execute(sql`update fills set timestamp = 9223372036854775807 where symbol = 'B'`);
      const [a, b] = await listPairPnl(db, { ...fifo, marks: { A: '-1', B: '0.3' } });
      const square = BigInt(`${34028235n ** 2n}${'0'.repeat(62)}`);
      expect(a?.cashFlow).toBe(`-${square - 1n}.${'9'.repeat(90)}`);
      const units = (text = '') => {
        const [whole = '', fraction = ''] = text.replace('-', '').split('.');
        return BigInt(whole + fraction.padEnd(100, '0')) * (text.startsWith('-') ? -1n : 1n);
      };
      expect(units(a?.cashFlow) - units(a?.position)).toBe(
        units(a?.realizedPnl) + units(a?.unrealizedPnl ?? ''),
      );
      expect(b).toMatchObject({
        position: '0.4',
        positionCost: '0.12',
        realizedPnl: '-0.04',
        cashFlow: '-0.16',
      });
      expect(await listPairPnl(db, { method: 'average', marks: { B: '0.3' } })).toMatchObject([{}, b]);
      expect(await listPairPnl(db, { ...fifo, atMs: Number.MAX_SAFE_INTEGER })).toMatchObject([
        { symbol: 'A', fillCount: 2 },
        { symbol: 'B', fillCount: 0 },
      ]);
    }));

  test('pnl: fees in base, quote, a third currency or none come in at the rates, and each pair may have its own', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertFills(db, [
        fill('BTC/USD', 'buy', 100, 1, { fees: { USD: '0.25' } }),
        fill('BTC/USD', 'buy', 100, 1, { feeData: { currency: 'BTC', cost: '0.001' } }),
        fill('BTC/USD', 'buy', 100, 1, { fees: [{ currency: 'BNB', cost: '-0.01' }, { USD: 1 }] }),
        fill('BTC/USD', 'buy', 100, 1, { fee: 3 }),
        fill('ETH/BTC', 'buy', '0.05', 1, { fees: { BTC: '0.00005', BNB: 1 } }),
        fill('KRW-LAMB', 'buy', 2, 1, { fees: { KRW: 4, '': 1, EUR: 0 } }),
        fill('SOL/USDT:USDT', 'buy', 2, 1, { fees: { USDT: '1e-7' } }),
      ]);
      const feeRates = { BTC: '101', BNB: { 'BTC/USD': '600', 'ETH/BTC': '0.01' }, '': '0.5', KRW: '1' };
      const fees = (await listPairPnl(db, { ...fifo, feeRates })).map((row) => row.fees);
      // 0.25 + 0.001 × 101 − 0.01 × 600 + 1 + 3 × 0.5; of ETH/BTC the quote is BTC, whatever the rate says.
      expect(fees).toEqual(['-3.149', '0.01005', '4.5', '0.0000001']);
      const [performance] = await listPairPerformance(db, ofSession);
      expect(performance?.fees).toEqual([
        { currency: 'BNB', amount: '-0.01' },
        { currency: 'BTC', amount: '0.001' },
        { currency: 'USD', amount: '1.25' },
        { currency: null, amount: '3' },
      ]);
      const missing = async (rates: Parameters<typeof listPairPnl>[1]['feeRates'], name: RegExp) => {
        const quoteRates = { USD: '1', BTC: '1', USDT: '1', 'KRW-LAMB': '1' };
        const day = { bucket: 'day', fromMs: 0, toMs: hour, quoteRates } as const;
        for (const call of [
          () => listPairPnl(db, { ...average, feeRates: rates }),
          () => listEquity(db, { ...average, ...day, feeRates: rates }),
        ]) {
          const error: unknown = await call().catch((thrown) => thrown);
          expect(error).toBeInstanceOf(InvalidArgumentError);
          expect(String(error)).toMatch(name);
        }
      };
      await missing(undefined, /BTC\/USD has a fee in BTC.*feeRates\["BTC"\]/);
      await missing({ ...feeRates, BNB: { 'BTC/USD': '600' } }, /ETH\/BTC has a fee in BNB/);
      await missing({ ...feeRates, '': {} }, /BTC\/USD has a fee that names no currency.*feeRates\[""\]/);
      await missing({ BTC: '1', BNB: '1', '': '0' }, /KRW-LAMB has a fee in KRW/);
    }));

  test('equity: the worked example of the docstring, quiet hours too, page by page', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', exchange: 'okx' });
      await insertFills(db, [
        fill('A/USD', 'buy', 100, 1, { timestamp: hour, fees: { USD: 1 } }),
        fill('A/USD', 'buy', 106, 1, { timestamp: 3 * hour - 1 }),
        fill('A/USD', 'sell', 101, 1, { timestamp: 3 * hour }),
        fill('A/USD', 'sell', 1, 1, { timestamp: 5 * hour }),
      ]);
      const row = (n: number, realizedPnl: string, unrealizedPnl: string, rest: object) => ({
        ...{ bucketStartMs: n * hour, realizedPnl, unrealizedPnl, ...rest },
        ...{ excludedCount: 0, unreadableFeeCount: 0 },
      });
      const third = { fees: '1', equity: '-5', peak: '5', drawdown: '10', fillCount: 3 };
      const expected = [
        row(0, '0', '0', { fees: '0', equity: '0', peak: '0', drawdown: '0', fillCount: 0 }),
        row(1, '0', '0', { fees: '1', equity: '-1', peak: '0', drawdown: '1', fillCount: 1 }),
        row(2, '0', '6', { fees: '1', equity: '5', peak: '5', drawdown: '0', fillCount: 2 }),
        row(3, '1', '-5', third),
        row(4, '1', '-5', third),
      ];
      const options = { method: 'fifo', bucket: 'hour', fromMs: 5, toMs: 5 * hour } as const;
      for (const scope of [ofSession, { exchange: 'okx' }, {}]) {
        expect(await listEquity(db, { ...options, ...scope })).toEqual(expected);
      }
      const second = await listEquity(db, { ...options, limit: 2, after: expected[1] });
      expect(second).toEqual(expected.slice(2, 4));
      expect(await listEquity(db, { ...options, after: expected.at(-1) })).toEqual([]);
      // By average the sale costs 103, and what is left is worth as much less.
      expect((await listEquity(db, { ...options, method: 'average' }))[3]).toEqual(row(3, '-2', '-2', third));
      // What was before the range is the level it begins at, and the first peak.
      expect(await listEquity(db, { ...options, fromMs: 3 * hour })).toEqual(expected.slice(3));
      expect(await listEquity(db, { ...options, bucket: 'day', toMs: 3 * hour })).toMatchObject([
        { bucketStartMs: 0, equity: '5', peak: '5', fillCount: 2 },
      ]);
    }));

  test('equity: pairs are added up in one asset, or at rates', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      const range = { bucket: 'day', fromMs: 0, toMs: hour } as const;
      const trade = (symbol: string, profit: number) => [
        fill(symbol, 'buy', 1, 1, { timestamp: 1 }),
        fill(symbol, 'sell', 1 + profit, 1, { timestamp: 2 }),
      ];
      await insertFills(db, [...trade('XBTUSDT', 7)]);
      expect(await listEquity(db, { ...fifo, ...range })).toMatchObject([{ equity: '7' }]);
      await insertFills(db, [...trade('ETH/BTC', 2), ...trade('SOL/BTC', 3)]);
      await expect(listEquity(db, { ...fifo, ...range })).rejects.toThrow(
        /^XBTUSDT is in a quote asset that its name does not tell, and ETH\/BTC may be in another.*quoteRates\["XBTUSDT"\]/,
      );
      const quoteRates = { XBTUSDT: '1', BTC: '100.5' };
      expect(await listEquity(db, { ...fifo, ...range, quoteRates })).toMatchObject([{ equity: '509.5' }]);
      await expect(listEquity(db, { ...fifo, ...range, quoteRates: { XBTUSDT: '1' } })).rejects.toThrow(
        /^ETH\/BTC is in BTC: give its rate as quoteRates\["BTC"\]/,
      );
    }));

  test('pnl: wrong options say what to give', () =>
    run(async (db) => {
      const range = { bucket: 'hour', fromMs: 0, toMs: hour } as const;
      const wrong: readonly [() => Promise<unknown>, RegExp][] = [
        [() => listPairPnl(db, { method: 'lifo' as 'fifo' }), /method must be 'fifo' or 'average'/],
        [
          () => listPairPnl(db, { ...fifo, exchange: 'okx' } as unknown as typeof fifo),
          /either sessionId or exchange/,
        ],
        [
          () => listPairPnl(db, { ...fifo, marks: { A: 1 as unknown as string } }),
          /marks\["A"\] must be a decimal as text/,
        ],
        [
          () => listPairPnl(db, { ...fifo, feeRates: { A: '-1' } }),
          /feeRates\["A"\] must be a decimal as text, not below zero/,
        ],
        [() => listPairPnl(db, { ...fifo, feeRates: { A: { B: 'x' } } }), /feeRates\["A"\]\["B"\] must be/],
        [
          () => listPairPnl(db, { ...fifo, marks: [] as unknown as Record<string, string> }),
          /marks must be an object of decimals/,
        ],
        [() => listPairPnl(db, { ...fifo, atMs: 0.5 }), /atMs must be an integer/],
        [() => listEquity(db, { ...fifo, ...range, fromMs: -1 }), /fromMs must be an integer from 0/],
        [() => listEquity(db, { ...fifo, ...range, toMs: hour * 10_001 }), /10000 buckets at most/],
        [
          () => listEquity(db, { ...fifo, ...range, bucket: 'week' as 'day' }),
          /bucket must be 'hour' or 'day'/,
        ],
        [() => listEquity(db, { ...fifo, ...range, quoteRates: { A: '' } }), /quoteRates\["A"\] must be/],
      ];
      for (const [call, says] of wrong) {
        const error: unknown = await call().catch((thrown) => thrown);
        expect(error).toBeInstanceOf(InvalidArgumentError);
        expect(String(error)).toMatch(says);
      }
    }));
}
