import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  type FillInput,
  InvalidArgumentError,
  insertFills,
  listPairPerformance,
  listPairVolume,
  type PairVolume,
} from '../../../src/queries/index.ts';
import type { Run } from './variants.ts';

let number = 0;
const fill = (
  symbol: string | null,
  side: string | null,
  price: FillInput['price'],
  size: FillInput['size'],
  rest: Partial<FillInput> = {},
): FillInput => ({
  ...{ id: `f${++number}`, tradeId: number, sessionId: 's', symbol, side, price, size, timestamp: 1000 },
  ...rest,
});
const createSession = sql`insert into sessions (id) values ('s')`;

export function performanceSuite(run: Run): void {
  test('performance: the worked example of the docstring', () =>
    run(async (db) => {
      await db.execute(createSession);
      await insertFills(db, [
        fill('BTC/USD', 'buy', 100, 2),
        fill('BTC/USD', 'buy', 106, 1),
        fill('BTC/USD', 'SELL', 105, 2),
        fill('BTC/USD', null, 105, 2, { fee: '0.5' }),
        fill('BTC/USD', 'sell', null, 2),
        fill('BTC/USD', 'sell', 1, null, { quantity: null }),
      ]);
      const expected = {
        ...{ symbol: 'BTC/USD', fillCount: 3, buyCount: 2, sellCount: 1, excludedCount: 3 },
        ...{ baseVolume: '5', buyBaseVolume: '3', sellBaseVolume: '2' },
        ...{ quoteVolume: '516', buyQuoteVolume: '306', sellQuoteVolume: '210' },
        ...{ buyVwap: '102', sellVwap: '105', netPosition: '1', cashFlow: '-96', realizedPnl: '6' },
        ...{ fees: [{ currency: null, amount: '0.5' }], unreadableFeeCount: 0 },
      };
      expect(await listPairPerformance(db, { sessionId: 's' })).toEqual([expected]);
      expect(await listPairPerformance(db, { fromMs: 1000, toMs: 1001 })).toEqual([expected]);
      expect(await listPairPerformance(db, { fromMs: 0, toMs: 1000 })).toEqual([]);
      expect(await listPairPerformance(db, { sessionId: 'other' })).toEqual([]);
    }));

  test('performance: sums are those of the decimals that float4 stands for', () =>
    run(async (db) => {
      await db.execute(createSession);
      await insertFills(db, [
        fill('A', 'buy', '61837.63', '0.1'),
        fill('A', 'buy', '61837.63', '0.2'),
        fill('A', 'sell', '0.0000123', '16777216'),
        fill('B', 'buy', 3, 1, { size: null, amount: 0.1 }),
        fill('B', 'buy', 3, 1, { size: null, amount: null, quantity: '0.3' }),
        fill('B', 'buy', 1, 2),
        fill('C', 'sell', 1, 1),
        fill(null, 'sell', 1e10, '1e-7'),
      ]);
      await db.execute(sql`update fills set price = 'NaN' where symbol = 'C'`);
      const rows = await listPairPerformance(db, { sessionId: 's' });
      // 16777216 is written 1.6777216e+07 as float4.
      expect(rows).toMatchObject([
        { symbol: 'A', buyQuoteVolume: '18551.289', buyVwap: '61837.63', sellQuoteVolume: '206.3597568' },
        {
          symbol: 'B',
          buyBaseVolume: '2.4',
          buyQuoteVolume: '3.2',
          buyVwap: '1.333333333333333333',
          sellVwap: null,
          realizedPnl: '0',
        },
        { symbol: 'C', fillCount: 0, excludedCount: 1, quoteVolume: '0' },
        { symbol: null, sellQuoteVolume: '1000', netPosition: '-0.0000001' },
      ]);
      const pages = [];
      let after: { symbol: string | null } | undefined;
      do {
        const page = await listPairPerformance(db, { sessionId: 's', limit: 1, after });
        pages.push(...page);
        after = page[0];
      } while (after !== undefined);
      expect(pages).toEqual(rows);
    }));

  test('performance: fees by currency, from wherever they are, and never mixed', () =>
    run(async (db) => {
      await db.execute(createSession);
      const withFee = (rest: Partial<FillInput>) => fill('A', 'buy', 1, 1, rest);
      await insertFills(db, [
        withFee({ fees: { USDT: 0.1, BNB: '0.0002' }, fee: 9 }),
        withFee({ fees: { currency: 'USDT', cost: 0.2 }, feeData: { currency: 'X', cost: 9 } }),
        withFee({
          fees: [
            { currency: 'USDT', cost: '-0.05' },
            { currency: 'ETH', amount: 1e-9 },
          ],
        }),
        withFee({ fees: [], feeData: { currency: 'BNB', cost: 1 }, fee: 9 }),
        withFee({ fees: {}, feeData: { currency: 'BNB' }, fee: '0.1', feeAmount: 9 }),
        withFee({ feeAmount: '0.3' }),
        withFee({ feeData: { currency: '', fee: 1 } }),
        withFee({ fees: { USDT: 'secret', EUR: { cost: 1 } } }),
        withFee({ fees: [7, null] }),
        withFee({ fees: '0.5' }),
        withFee({}),
      ]);
      const [row] = await listPairPerformance(db, { sessionId: 's' });
      expect(row?.fees).toEqual([
        { currency: 'BNB', amount: '1.1002' },
        { currency: 'ETH', amount: '0.000000001' },
        { currency: 'USDT', amount: '0.25' },
        { currency: null, amount: '1.8' },
      ]);
      expect(row).toMatchObject({ unreadableFeeCount: 4, fillCount: 11 });
    }));

  test('performance: a fee without a currency is an unnamed one, a map of currencies stays one', () =>
    run(async (db) => {
      await db.execute(createSession);
      const forms: readonly [Partial<FillInput>, Readonly<Record<string, string>>, number][] = [
        [{ fees: { cost: 0.1, rate: 0.001 } }, { '?': '0.1' }, 0],
        [{ fees: { amount: '0.2' } }, { '?': '0.2' }, 0],
        [{ fees: { fee: 0.3, rate: '0.001', currency: null } }, { '?': '0.3' }, 0],
        [{ fees: { rate: 0.001 } }, {}, 1],
        [{ fees: { cost: null, rate: 0.001 } }, {}, 1],
        [{ fees: { cost: { USDT: 0.1 } } }, {}, 1],
        [{ fees: { cost: 0.1, currency: { code: 'USDT' } } }, { '?': '0.1' }, 0],
        [{ fees: { cost: 0.1, USDT: 0.2, taker: true, type: 'spot' } }, { '?': '0.1' }, 1],
        [{ fees: { currency: 'USDT', cost: 0.1, rate: 0.001, type: 'taker' } }, { USDT: '0.1' }, 0],
        [{ fees: { currency: '', cost: 0.1 } }, { '?': '0.1' }, 0],
        [{ fees: { USDT: 0.1 } }, { USDT: '0.1' }, 0],
        [{ fees: { COST: 0.1, usdt: '1e-3' } }, { COST: '0.1', usdt: '0.001' }, 0],
        [{ fees: { USDT: null, EUR: [1], BNB: '' } }, {}, 3],
        [{ fees: [{ USDT: 0.1 }, { cost: 0.2, rate: 1 }] }, { USDT: '0.1', '?': '0.2' }, 0],
        [{ fees: [[{ USDT: 0.1 }], {}, 'x', 7, null, false] }, {}, 6],
        [{ fees: '0.1' }, { '?': '0.1' }, 0],
        [{ fees: '{"USDT": 0.1}' }, {}, 1],
        [{ fees: false, fee: 1 }, {}, 1],
        [{ fees: {}, feeData: { cost: 0.1, rate: 1 } }, { '?': '0.1' }, 0],
        [{ fees: [], feeData: { USDT: 0.1 } }, { USDT: '0.1' }, 0],
        [{ feeData: [{ currency: 'USDT', cost: 0.1 }, 7] }, { USDT: '0.1' }, 1],
        [{ feeData: 0.1 }, { '?': '0.1' }, 0],
        [{ feeData: { tier: 1 }, fee: '0.2', feeAmount: 9 }, { '?': '0.2' }, 0],
        [{ feeData: { currency: 'BNB', rate: 1 }, feeAmount: '0.2' }, { BNB: '0.2' }, 0],
        [{ feeData: { currency: 'BNB' } }, {}, 0],
        [{ feeData: null }, {}, 0],
      ];
      await insertFills(
        db,
        forms.map(([rest], i) => fill(`P${String(i).padStart(2, '0')}`, 'buy', 1, 1, rest)),
      );
      const rows = await listPairPerformance(db, { sessionId: 's' });
      for (const [i, [rest, fees, unreadable]] of forms.entries()) {
        const row = rows[i];
        const got = Object.fromEntries((row?.fees ?? []).map((one) => [one.currency ?? '?', one.amount]));
        expect([got, row?.unreadableFeeCount], JSON.stringify(rest)).toEqual([fees, unreadable]);
      }
    }));

  test('volume: a quiet pair has rows of zeros, in UTC hours and days', () =>
    run(async (db) => {
      await db.execute(createSession);
      const hour = 3_600_000;
      const at = (timestamp: number | null) => ({ timestamp });
      await insertFills(db, [
        fill('A', 'buy', '0.1', '0.2', at(hour)),
        fill('A', null, '0.3', '0.2', at(2 * hour - 1)),
        fill('A', 'buy', null, 1, at(hour + 1)),
        fill('B', 'sell', 7, 1, at(3 * hour)),
        fill('B', 'sell', 7, 1, at(null)),
        fill(null, 'sell', 7, 1, at(hour)),
      ]);
      const quiet = { fillCount: 0, excludedCount: 0, baseVolume: '0', quoteVolume: '0', vwap: null };
      const a = {
        symbol: 'A',
        fillCount: 2,
        excludedCount: 1,
        baseVolume: '0.4',
        quoteVolume: '0.08',
        vwap: '0.2',
      };
      const range = { bucket: 'hour', fromMs: hour + 0, toMs: 3 * hour } as const;
      const expected: PairVolume[] = [
        { bucketStartMs: hour, ...a },
        { bucketStartMs: hour, symbol: 'C', ...quiet },
        { bucketStartMs: 2 * hour, symbol: 'A', ...quiet },
        { bucketStartMs: 2 * hour, symbol: 'C', ...quiet },
      ];
      expect(await listPairVolume(db, { ...range, symbols: ['C', 'A', 'A'] })).toEqual(expected);
      const second = await listPairVolume(db, {
        ...range,
        symbols: ['A', 'C'],
        limit: 2,
        after: expected[0],
      });
      expect(second).toEqual(expected.slice(1, 3));
      expect(await listPairVolume(db, { bucket: 'day', fromMs: 1, toMs: 4 * hour })).toMatchObject([
        { bucketStartMs: 0, ...a },
        { bucketStartMs: 0, symbol: 'B', fillCount: 1, quoteVolume: '7' },
      ]);
      expect(await listPairVolume(db, { bucket: 'day', fromMs: 5, toMs: 5, symbols: ['A'] })).toEqual([]);
    }));

  test('performance: wrong options say what to give', () =>
    run(async (db) => {
      const wrong: (() => Promise<unknown>)[] = [
        () => listPairPerformance(db, {} as { sessionId: string }),
        () =>
          listPairPerformance(db, { sessionId: 's', fromMs: 1, toMs: 2 } as unknown as { sessionId: string }),
        () => listPairPerformance(db, { fromMs: 2, toMs: 1 }),
        () => listPairVolume(db, { bucket: 'week' as 'day', fromMs: 0, toMs: 1 }),
        () => listPairVolume(db, { bucket: 'hour', fromMs: 0, toMs: 3_600_000 * 10_001 }),
        () => listPairVolume(db, { bucket: 'hour', fromMs: -1, toMs: 1 }),
        () => listPairVolume(db, { bucket: 'hour', fromMs: 0, toMs: 1, symbols: [] }),
      ];
      for (const call of wrong) await expect(call()).rejects.toBeInstanceOf(InvalidArgumentError);
    }));
}
