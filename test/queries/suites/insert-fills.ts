import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  DatabaseError,
  type FillInput,
  type FillInsertion,
  InvalidArgumentError,
  insertFills,
} from '../../../src/queries/index.ts';
import { hostileTexts, ignoreRollback, Rollback } from './pairs.ts';
import { type Run, selectAll } from './variants.ts';

/** A fill that can be identified. */
const fill = (id: string, rest: Partial<FillInput> = {}): FillInput => ({
  id,
  symbol: 'BTC/USD',
  side: 'buy',
  price: '61837.63',
  size: '0.02',
  timestamp: 1_723_161_255_342,
  ...rest,
});

const outcomes = (results: readonly FillInsertion[]) => results.map(({ outcome, id }) => `${outcome} ${id}`);

export function insertFillsSuite(run: Run): void {
  test('insertFills: nothing to insert', () =>
    run(async (db) => expect(await insertFills(db, [])).toEqual([])));

  test('insertFills: each row says what became of it, in the order of the input', () =>
    run(async (db) => {
      await insertFills(db, [fill('a', { tradeId: 1n }), fill('b', { tradeId: 2n })]);
      const results = await insertFills(db, [
        fill('z', { tradeId: 3n }),
        fill('b', { tradeId: 2n, createdAt: 5 }),
        fill('y', { tradeId: 1n }),
        fill('a', { tradeId: 9n }),
        fill('x', { tradeId: '3' }),
        fill('z', { tradeId: 3n }),
        fill('z', { tradeId: 4n }),
      ]);
      expect(outcomes(results)).toEqual([
        'inserted z',
        'duplicate b',
        'duplicate a',
        'conflict a',
        'duplicate z',
        'duplicate z',
        'conflict z',
      ]);
      expect(await selectAll(db, 'select id, tradeid::int as t from fills order by id')).toEqual([
        { id: 'a', t: 1 },
        { id: 'b', t: 2 },
        { id: 'z', t: 3 },
      ]);
    }));

  test('insertFills: all columns are content, but when the row was stored is not', () =>
    run(async (db) => {
      const first = fill('a', { fee: 0.1, fees: { USD: 0.1 }, execId: '7', createdAt: 1, lastUpdated: 1 });
      await insertFills(db, [first]);
      const change = async (rest: Partial<FillInput>) =>
        (await insertFills(db, [{ ...first, ...rest }]))[0]?.outcome;
      expect(await change({ createdAt: 2, lastUpdated: null })).toBe('duplicate');
      expect(await change({ price: 61837.63, fee: '0.10', fees: { USD: 0.1 } })).toBe('duplicate');
      expect(await change({ execId: undefined, tradeId: 7 })).toBe('duplicate');
      for (const other of [
        { fee: 0.2 },
        { fees: { EUR: 0.1 } },
        { side: 'sell' },
        { data: {} },
        { fee: null },
      ]) {
        expect(await change(other), JSON.stringify(other)).toBe('conflict');
      }
    }));

  test('insertFills: the venue’s id goes where it fits, and sets executions apart', () =>
    run(async (db) => {
      const ids = [
        '1',
        '-5',
        '9223372036854775807',
        '9223372036854775808',
        '007',
        'a1',
        'ABCDEF',
        '1e3',
        '-0',
      ];
      const results = await insertFills(
        db,
        ids.map((tradeId, i) => fill(`f${i}`, { tradeId })),
      );
      expect(results.every(({ outcome }) => outcome === 'inserted')).toBe(true);
      const rows = await selectAll(db, 'select tradeid::text, execid from fills order by id');
      expect(rows).toEqual(
        ids.map((id, i) => (i < 3 ? { tradeid: id, execid: null } : { tradeid: null, execid: id })),
      );
    }));

  test('insertFills: what cannot be identified is a duplicate by its id alone', () =>
    run(async (db) => {
      for (const missing of ['symbol', 'price', 'size', 'timestamp'] as const) {
        const rows = [1, 2].map((i) => fill(`${missing}${i}`, { [missing]: null }));
        expect(outcomes(await insertFills(db, rows))).toEqual([
          `inserted ${missing}1`,
          `inserted ${missing}2`,
        ]);
        expect(outcomes(await insertFills(db, rows))).toEqual([
          `duplicate ${missing}1`,
          `duplicate ${missing}2`,
        ]);
      }
      // Without session, order or venue's id it still can.
      expect(outcomes(await insertFills(db, [fill('a'), fill('b', { amount: 0.02, size: null })]))).toEqual([
        'inserted a',
        'duplicate a',
      ]);
    }));

  test('insertFills: a buy and a sell of one moment are two, a sell in other letters is the same', () =>
    run(async (db) => {
      const rows = [
        fill('buy'),
        fill('sell', { side: 'sell' }),
        fill('SELL', { side: 'SELL' }),
        fill('none', { side: null }),
        fill('empty', { side: '' }),
        fill('buy', { side: 'BUY' }),
      ];
      const expected = ['inserted buy', 'inserted sell', 'duplicate sell', 'inserted none', 'duplicate none'];
      expect(outcomes(await insertFills(db, rows))).toEqual([...expected, 'duplicate buy']);
      expect(await selectAll(db, 'select id, side from fills order by id')).toEqual([
        { id: 'buy', side: 'buy' },
        { id: 'none', side: null },
        { id: 'sell', side: 'sell' },
      ]);
      const [alike] = await insertFills(db, [fill('b', { tradeId: 1 })], { reportAlike: true });
      expect(alike).toMatchObject({ outcome: 'inserted', alike: ['buy'] });
    }));

  test('insertFills: equal as float4 is equal', () =>
    run(async (db) => {
      const prices = ['0.1', '0.10', 0.1, '1e-1', '0.100000001', '0.1000001'];
      const results = await insertFills(
        db,
        prices.map((price, i) => fill(`p${i}`, { price })),
      );
      expect(outcomes(results)).toEqual([
        'inserted p0',
        ...Array<string>(4).fill('duplicate p0'),
        'inserted p5',
      ]);
    }));

  test('insertFills: any text and JSON is stored as it is', () =>
    run(async (db) => {
      const texts = hostileTexts.filter((text) => text !== '');
      const rows = texts.map((text, i) =>
        fill(text, {
          tradeId: text,
          clientOrderId: text,
          liquidityInd: text,
          data: { [text]: text },
          size: i + 1,
        }),
      );
      const results = await insertFills(db, rows);
      expect(outcomes(results)).toEqual(texts.map((text) => `inserted ${text}`));
      expect((await insertFills(db, rows)).every(({ outcome }) => outcome === 'duplicate')).toBe(true);
      const stored = await selectAll(db, 'select id, execid, clientorderid, data from fills order by size');
      expect(stored).toEqual(
        texts.map((text) => ({ id: text, execid: text, clientorderid: text, data: { [text]: text } })),
      );
    }));

  test('insertFills: one malformed row, and none is sent', () =>
    run(async (db) => {
      const bad: [string, Record<string, unknown>][] = [
        ['id', { id: '' }],
        ['id', { id: null }],
        ['symbol', { symbol: 'a\0' }],
        ['symbol', { symbol: '\ud800' }],
        ['symbol', { symbol: 7 }],
        ['price', { price: 'secret' }],
        ['price', { price: Number.NaN }],
        ['price', { price: '' }],
        ['price', { price: 'Infinity' }],
        ['price', { price: '1e39' }],
        ['size', { size: '1e-60' }],
        ['timestamp', { timestamp: 1.5 }],
        ['timestamp', { timestamp: 2 ** 53 }],
        ['tradeId', { tradeId: '' }],
        ['tradeId', { tradeId: 2 ** 53 }],
        ['tradeId', { tradeId: 2n ** 63n }],
        ['execId', { execId: '' }],
        ['execId', { execId: 'a', tradeId: 'b' }],
        ['execId', { execId: '01', tradeId: 1 }],
        ['data', { data: { big: 1n } }],
        ['orderid', { orderid: 'o' }],
      ];
      for (const [column, values] of bad) {
        const rows = [fill('good'), { ...fill('bad'), ...values } as FillInput];
        const error = await insertFills(db, rows).catch((thrown: unknown) => thrown);
        expect(error, JSON.stringify(column)).toBeInstanceOf(InvalidArgumentError);
        expect((error as Error).message).toMatch(new RegExp(`^row 1: ${column} `));
        expect((error as Error).message).not.toContain('secret');
      }
      expect(await selectAll(db, 'select id from fills')).toEqual([]);
    }));

  test('insertFills: a session that does not exist is an error that names the constraint and no value', () =>
    run(async (db) => {
      const error = await insertFills(db, [fill('a', { sessionId: 'nowhere-secret' })]).catch(
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(DatabaseError);
      expect(error).toMatchObject({ code: 'foreign_key_violation', constraint: 'fk_fills_sessionid' });
      expect((error as Error).message).not.toContain('secret');
      throw new Rollback();
    }).catch(ignoreRollback));

  test('insertFills: alike fills are named, before and within the batch', () =>
    run(async (db) => {
      await db.execute(sql`insert into sessions (id) values ('s')`);
      await insertFills(db, [fill('a', { tradeId: 1 }), fill('other', { tradeId: 1, sessionId: 's' })]);
      const results = await insertFills(
        db,
        [
          fill('b', { tradeId: 'x' }),
          fill('c'),
          fill('b', { tradeId: 'x' }),
          fill('d', { price: 1 }),
          fill('a2', { tradeId: 1 }),
        ],
        { reportAlike: true },
      );
      expect(results).toEqual([
        { outcome: 'inserted', id: 'b', alike: ['a', 'c'] },
        { outcome: 'inserted', id: 'c', alike: ['a', 'b'] },
        { outcome: 'duplicate', id: 'b', alike: ['a', 'c'] },
        { outcome: 'inserted', id: 'd', alike: [] },
        { outcome: 'duplicate', id: 'a', alike: ['b', 'c'] },
      ]);
    }));

  test('insertFills: more than one batch, half of it repeats under other ids', () =>
    run(async (db) => {
      const rows = Array.from({ length: 6000 }, (_, i) =>
        fill(`f${i}`, { tradeId: i % 3000, ...(i % 2 === 0 ? {} : { fee: 1 }) }),
      );
      const results = await insertFills(db, rows);
      expect(outcomes(results)).toEqual(
        rows.map((_, i) => (i < 3000 ? `inserted f${i}` : `duplicate f${i - 3000}`)),
      );
      // Every other row repeats the one before.
      const twins = Array.from({ length: 2000 }, (_, i) => fill(`t${i}`, { tradeId: `t${i >> 1}` }));
      expect(outcomes(await insertFills(db, twins))).toEqual(
        twins.map((_, i) => (i % 2 === 0 ? `inserted t${i}` : `duplicate t${i - 1}`)),
      );
    }));
}
