import { getTableColumns, sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  correctFill,
  type Database,
  type FillFilter,
  type FillKey,
  findFill,
  findLatestFill,
  InvalidArgumentError,
  insertFills,
  listDuplicateFills,
  listFills,
  listFillsInRange,
  streamFills,
} from '../../../src/queries/index.ts';
import { fillIdentityKeys } from '../../../src/schema/fill-identity.ts';
import { type Fill, fills } from '../../../src/schema/index.ts';
import type { Handle } from '../../support/handles.ts';
import { hostileTexts, ignoreRollback, Rollback } from './pairs.ts';
import type { Run } from './variants.ts';

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

/** Follows a list from page to page; a loop ends as a failure. */
async function readPages(list: (after: FillKey | undefined) => Promise<Fill[]>): Promise<string[]> {
  const all: string[] = [];
  let after: FillKey | undefined;
  for (let page = 0; page < 1000; page++) {
    const rows = await list(after);
    all.push(...ids(rows));
    after = rows.at(-1);
    if (after === undefined) return all;
  }
  throw new Error('paging does not end');
}

async function collect(db: Database, options: FillFilter & { pageSize?: number }): Promise<string[]> {
  const all: string[] = [];
  for await (const { id } of streamFills(db, options)) all.push(id);
  return all;
}

/** Two sessions; the first has fills of one millisecond, and some without a time. */
async function insertSample(db: Database & Pick<Handle, 'execute'>): Promise<void> {
  await db.execute(sql`insert into sessions (id) values ('s'), ('t')`);
  await db.execute(sql`insert into orders (id, sessionid) values ('o1', 's'), ('o2', 's')`);
  const rows = [
    ...['c', 'a', 'b'].map((id) => ({ id, timestamp: 5, orderId: 'o1' })),
    { id: 'first', timestamp: -7, symbol: 'ETH/USD' },
    { id: 'last', timestamp: 9, orderId: 'o2' },
    { id: 'n2', timestamp: null },
    { id: 'n1', timestamp: null, orderId: 'o1' },
  ];
  const session = { sessionId: 's', symbol: 'BTC/USD', price: 1 };
  await insertFills(db, [
    ...rows.map((row) => ({ ...session, tradeId: row.id, size: 1, ...row })),
    { ...session, id: 'other', sessionId: 't', timestamp: 6, size: 1 },
  ]);
}

export function fillsSuite(run: Run): void {
  test('fills: nothing is found in an empty table', () =>
    run(async (db) => {
      expect(await listFills(db, { sessionId: 's' })).toEqual([]);
      expect(await listFillsInRange(db, { symbol: 'BTC/USD', fromMs: 0, toMs: 1 })).toEqual([]);
      expect(await findLatestFill(db, { symbol: 'BTC/USD' })).toBeUndefined();
      expect(await findLatestFill(db, { sessionId: 's' })).toBeUndefined();
      expect(await listDuplicateFills(db)).toEqual([]);
      expect(await collect(db, { sessionId: 's' })).toEqual([]);
    }));

  test('fills: of a session, a pair and an order, oldest first, without a time last', () =>
    run(async (db) => {
      await insertSample(db);
      expect(ids(await listFills(db, { sessionId: 's' }))).toEqual([
        'first',
        'a',
        'b',
        'c',
        'last',
        'n1',
        'n2',
      ]);
      expect(ids(await listFills(db, { sessionId: 's', symbol: 'ETH/USD' }))).toEqual(['first']);
      expect(ids(await listFills(db, { sessionId: 's', orderId: 'o1' }))).toEqual(['a', 'b', 'c', 'n1']);
      expect(await listFills(db, { sessionId: 's', symbol: 'ETH/USD', orderId: 'o1' })).toEqual([]);
      expect((await listFills(db, { sessionId: 't' }))[0]).toEqual({
        ...Object.fromEntries(
          Object.entries(getTableColumns(fills)).map(([key, column]) => [key, column.default ?? null]),
        ),
        ...{ id: 'other', sessionId: 't', symbol: 'BTC/USD', price: 1, size: 1, timestamp: 6 },
      });
    }));

  test('fills: of an order alone, whatever session they name, at every page size', () =>
    run(async (db) => {
      await insertSample(db);
      const stray = { orderId: 'o1', price: 1, size: 1 };
      await insertFills(db, [
        { ...stray, id: 'no session', symbol: 'BTC/USD', timestamp: 6 },
        { ...stray, id: 'of another', symbol: 'ETH/USD', sessionId: 't', timestamp: 4 },
      ]);
      const all = ['of another', 'a', 'b', 'c', 'no session', 'n1'];
      for (const limit of [1, 2, 1000]) {
        expect(await readPages((after) => listFills(db, { orderId: 'o1', limit, after }))).toEqual(all);
      }
      expect(ids(await listFills(db, { orderId: 'o1', symbol: 'ETH/USD' }))).toEqual(['of another']);
      expect(ids(await listFills(db, { orderId: 'o1', sessionId: 't' }))).toEqual(['of another']);
      expect(await listFills(db, { orderId: 'x' })).toEqual([]);
    }));

  test('fills: one is found by its id', () =>
    run(async (db) => {
      await insertFills(db, [{ id: 'f', symbol: 'A', tradeId: '9223372036854775807', fees: { USD: 1 } }]);
      expect(await findFill(db, { id: 'f' })).toMatchObject({
        id: 'f',
        tradeId: 9223372036854775807n,
        fees: { USD: 1 },
        price: null,
      });
      expect(await findFill(db, { id: 'F' })).toBeUndefined();
    }));

  test('fills: a correction stores what it gives, and nothing else', () =>
    run(async (db) => {
      const fill = { id: 'f', symbol: 'A', side: 'buy', price: '0.1', size: 1, timestamp: 5, tradeId: 7 };
      await insertFills(db, [
        { ...fill, fees: { USD: 1 }, feeAmount: 1, lastUpdated: 1 },
        { ...fill, id: 'g', tradeId: 8 },
      ]);
      const before = await findFill(db, { id: 'f' });
      const corrected = await correctFill(db, {
        id: 'f',
        set: { price: '0.2', fees: null, feeAmount: undefined, data: { note: `it's "so"` } },
      });
      expect(corrected).toEqual({
        ...before,
        ...{ price: 0.2, fees: null, data: { note: `it's "so"` }, lastUpdated: corrected.lastUpdated },
      });
      expect(corrected.lastUpdated).toBeGreaterThan(1_700_000_000_000);
      expect(await findFill(db, { id: 'f' })).toEqual(corrected);
      expect(await findFill(db, { id: 'g' })).toMatchObject({ price: 0.1, tradeId: 8n, lastUpdated: null });
      const venueIds = [
        [{ tradeId: 'x' }, { tradeId: null, execId: 'x' }],
        [{ tradeId: 9n }, { tradeId: 9n, execId: null }],
        [{ execId: 'y' }, { tradeId: null, execId: 'y' }],
        [{ tradeId: null }, { tradeId: null, execId: null }],
        [{ lastUpdated: 3 }, { lastUpdated: 3, tradeId: null }],
      ] as const;
      for (const [set, stored] of venueIds) {
        expect(await correctFill(db, { id: 'f', set })).toMatchObject(stored);
      }
      await expect(correctFill(db, { id: 'x', set: { fee: 1 } })).rejects.toMatchObject({
        code: 'not_found',
      });
    }));

  test('fills: a correction that makes one execution of two is refused', () =>
    run(async (db) => {
      const fill = { symbol: 'A', side: 'buy', price: 1, size: 1, timestamp: 5 };
      await insertFills(db, [
        { ...fill, id: 'f', tradeId: 7 },
        { ...fill, id: 'g', tradeId: 8 },
      ]);
      await expect(correctFill(db, { id: 'g', set: { tradeId: '7' } })).rejects.toMatchObject({
        code: 'unique_violation',
        constraint: 'idx_fills_unique_dedup',
      });
      throw new Rollback();
    }).catch(ignoreRollback));

  test('fills: pages and streams give each row once, whatever their size', () =>
    run(async (db) => {
      await insertSample(db);
      const range = { symbol: 'BTC/USD', fromMs: 5, toMs: 9 };
      for (const limit of [1, 2, 3, 7, 1000]) {
        const all = ['first', 'a', 'b', 'c', 'last', 'n1', 'n2'];
        expect(await readPages((after) => listFills(db, { sessionId: 's', limit, after }))).toEqual(all);
        expect(await collect(db, { sessionId: 's', pageSize: limit })).toEqual(all);
        const inRange = ['a', 'b', 'c', 'other'];
        expect(await readPages((after) => listFillsInRange(db, { ...range, limit, after }))).toEqual(inRange);
        expect(await collect(db, { ...range, pageSize: limit })).toEqual(inRange);
      }
      expect(await listFillsInRange(db, { symbol: 'BTC/USD', fromMs: 5, toMs: 5 })).toEqual([]);
    }));

  test('fills: a stream ends on break and on abort, and a reason is thrown as it is', () =>
    run(async (db) => {
      await insertSample(db);
      for await (const { id } of streamFills(db, { sessionId: 's', pageSize: 1 })) if (id === 'a') break;
      const controller = new AbortController();
      const reason = new Error('enough');
      const seen: string[] = [];
      const read = async () => {
        for await (const { id } of streamFills(db, { sessionId: 's', signal: controller.signal })) {
          seen.push(id);
          if (id === 'a') controller.abort(reason);
        }
      };
      await expect(read()).rejects.toBe(reason);
      expect(seen).toEqual(['first', 'a']);
    }));

  test('fills: the latest has the highest time, then the highest id', () =>
    run(async (db) => {
      await insertSample(db);
      const latest = async (options: Parameters<typeof findLatestFill>[1]) =>
        (await findLatestFill(db, options))?.id;
      expect(await latest({ symbol: 'BTC/USD' })).toBe('last');
      expect(await latest({ sessionId: 's' })).toBe('last');
      expect(await latest({ sessionId: 's', orderId: 'o1' })).toBe('c');
      expect(await latest({ sessionId: 't', symbol: 'ETH/USD' })).toBeUndefined();
    }));

  test('fills: symbols are compared exactly as stored', () =>
    run(async (db) => {
      await insertFills(
        db,
        hostileTexts
          .filter((symbol) => symbol.length < 1000)
          .map((symbol, i) => ({ id: `f${i}`, symbol, price: 1, size: 1, timestamp: 1 })),
      );
      for (const symbol of hostileTexts) {
        const expected = symbol.length < 1000 ? [`f${hostileTexts.indexOf(symbol)}`] : [];
        expect(ids(await listFillsInRange(db, { symbol, fromMs: 1, toMs: 2 }))).toEqual(expected);
        expect((await findLatestFill(db, { symbol }))?.id).toBe(expected[0]);
      }
    }));

  test('fills: wrong options change nothing and say what to give', () =>
    run(async (db) => {
      const range = { symbol: 'A', fromMs: 2, toMs: 1 };
      const wrong: (() => Promise<unknown>)[] = [
        () => listFills(db, JSON.parse('{"symbol":"A"}')),
        () => findFill(db, { id: 'a\0' }),
        () => correctFill(db, { id: 'f', set: {} }),
        () => correctFill(db, { id: 'f', set: { price: undefined } }),
        () => correctFill(db, { id: 'f', set: JSON.parse('{"id":"g"}') }),
        () => correctFill(db, { id: 'f', set: JSON.parse('{"orderid":"o"}') }),
        () => correctFill(db, { id: 'f', set: JSON.parse('[]') }),
        () => correctFill(db, { id: 'f', set: { price: 'n/a' } }),
        () => listFills(db, { sessionId: 's', limit: 0 }),
        () => listFills(db, { sessionId: 'a\0' }),
        () => listFillsInRange(db, range),
        () => listFillsInRange(db, { ...range, toMs: 3, after: { timestamp: null, id: 'a' } }),
        () => collect(db, { sessionId: 's', pageSize: 1001 }),
        () => collect(db, { sessionId: 's', fromMs: 1, toMs: 2 } as unknown as FillFilter),
        () => collect(db, { symbol: 's' } as unknown as FillFilter),
        () => findLatestFill(db, {} as { symbol: string }),
      ];
      for (const call of wrong) await expect(call()).rejects.toBeInstanceOf(InvalidArgumentError);
    }));

  test('listDuplicateFills: groups by what the index would refuse, page by page', () =>
    run(async (db) => {
      // Where the index is missing, as in a database that has not been migrated yet.
      await db.execute(sql`drop index idx_fills_unique_dedup`);
      try {
        await db.execute(sql`insert into sessions (id) values ('s')`);
        await db.execute(sql`
          insert into fills (id, sessionid, symbol, side, "timestamp", price, size, amount, execid, tradeid) values
            ('a', 's', 'X', 'SELL', 1, 0.1, 2, null, null, 7), ('c', 's', 'X', 'sell', 1, 0.1, null, 2, '7', null),
            ('b', 's', 'X', 'Sell', 1, 0.1, 2, 3, '7', 8), ('d', null, 'X', null, 1, 0.1, 2, null, null, 7),
            ('e', null, 'X', '', 1, 0.1, 2, null, null, 7), ('f', null, 'X', null, null, 1, 1, null, null, null),
            ('g', null, 'X', null, null, 1, 1, null, null, null), ('h', null, 'X', null, 1, 0.1, 2, null, null, 9),
            ('i', 's', 'X', 'buy', 1, 0.1, 2, null, null, 7), ('j', 's', 'X', null, 1, 0.1, 2, null, null, 7)`);
        const [first, ...others] = await listDuplicateFills(db, { limit: 1 });
        expect(others).toEqual([]);
        const group = { orderId: null, symbol: 'X', timestamp: 1, price: 0.1, size: 2, venueId: '7' };
        expect(first).toMatchObject({
          ...group,
          sessionId: 's',
          side: 'sell',
          count: 3,
          ids: ['a', 'b', 'c'],
          firstId: 'a',
        });
        const [second] = await listDuplicateFills(db, { limit: 1, after: first });
        expect(second).toMatchObject({ ...group, sessionId: null, count: 2, ids: ['d', 'e'], firstId: 'd' });
        expect(await listDuplicateFills(db, { after: second })).toEqual([]);
      } finally {
        await db.execute(sql`delete from fills`);
        await db.execute(sql.raw(dedupIndex));
      }
    }));
}

const dedupIndex = `create unique index idx_fills_unique_dedup on fills (${fillIdentityKeys.join(', ')})`;
