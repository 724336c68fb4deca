import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  findOrder,
  hasOpenSells,
  insertOrders,
  insertSession,
  listOpenOrders,
  listOpenSells,
  listOrderStats,
  listOrders,
  type OrderKey,
  type OrderStats,
} from '../../../src/queries/index.ts';
import { hostileTexts, ignoreRollback, Rollback } from './pairs.ts';
import { type Run, selectAll } from './variants.ts';

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

export function ordersSuite(run: Run): void {
  test('orders: nothing is found in an empty table', () =>
    run(async (db) => {
      expect(await findOrder(db, { id: 'o' })).toBeUndefined();
      expect(await findOrder(db, { clientOrderId: 'o' })).toBeUndefined();
      expect(await findOrder(db, { exchangeOrderId: 'o', sessionId: 's' })).toBeUndefined();
      expect(await listOrders(db, { sessionId: 's' })).toEqual([]);
      expect(await listOpenOrders(db)).toEqual([]);
      expect(await hasOpenSells(db, { sessionId: 's' })).toBe(false);
      expect(await listOpenSells(db, { sessionId: 's' })).toEqual([]);
      expect(await listOrders(db)).toEqual([]);
      expect(await listOrders(db, { status: 'open' })).toEqual([]);
      expect(await listOrderStats(db, { sessionId: 's' })).toEqual([]);
      expect(await insertOrders(db, [])).toEqual([]);
    }));

  test('orders: positions come from the session’s pairs, in the order of the input', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', pairs: ['A', 'B', 'A'] });
      await insertSession(db, { id: 'old', symbol: 'C' });
      const stored = await insertOrders(db, [
        { id: 'o4', sessionId: 's', symbol: 'B', price: 0.1, data: { note: 'x' }, timestamp: 5 },
        { id: 'o1', sessionId: 's', symbol: 'A' },
        { id: 'o3', sessionId: 's', symbol: 'Z' },
        { id: 'o2', sessionId: 'old', symbol: 'C' },
        { id: 'o5' },
      ]);
      expect(stored).toEqual([
        { id: 'o4', pairIndex: 1 },
        { id: 'o1', pairIndex: 0 },
        { id: 'o3', pairIndex: null },
        { id: 'o2', pairIndex: 0 },
        { id: 'o5', pairIndex: null },
      ]);
      expect(await findOrder(db, { id: 'o4' })).toMatchObject({
        id: 'o4',
        symbol: 'B',
        price: 0.1,
        data: { note: 'x' },
        timestamp: 5,
        pairIndex: 1,
        filledAt: null,
      });
    }));

  test('orders: one bad order keeps all out', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      const error: unknown = await insertOrders(db, [
        { id: 'o1', sessionId: 's' },
        { id: 'o2', sessionId: 'secret-session' },
      ]).catch((thrown) => thrown);
      expect(error).toMatchObject({
        code: 'foreign_key_violation',
        constraint: 'fk_orders_sessionid',
        isRetryable: false,
      });
      expect(String(error)).not.toContain('secret-session');
      throw new Rollback();
    }).catch(ignoreRollback));

  test('orders: by our id, the client’s and the venue’s', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertSession(db, { id: 't' });
      await insertOrders(db, [
        {
          id: 'o1',
          sessionId: 's',
          clientOrderId: 'c',
          timestamp: 1,
          data: { exchangeOrderId: 'x' },
        },
        { id: 'o2', sessionId: 's', clientOrderId: 'c', timestamp: 2 },
        { id: 'o3', sessionId: 't', data: { exchangeOrderId: 77 } },
      ]);
      await selectAll(
        db,
        `insert into fills (id, sessionid, orderid, exchangeorderid) values ('f', 's', 'o2', 'y') returning id`,
      );
      expect((await findOrder(db, { id: 'o1' }))?.id).toBe('o1');
      expect((await findOrder(db, { clientOrderId: 'c' }))?.id).toBe('o2');
      expect((await findOrder(db, { exchangeOrderId: 'x', sessionId: 's' }))?.id).toBe('o1');
      expect((await findOrder(db, { exchangeOrderId: 'y', sessionId: 's' }))?.id).toBe('o2');
      expect((await findOrder(db, { exchangeOrderId: '77', sessionId: 't' }))?.id).toBe('o3');
      expect(await findOrder(db, { exchangeOrderId: 'x', sessionId: 't' })).toBeUndefined();
    }));

  test('orders: any text is stored and found exactly as it is', () =>
    run(async (db) => {
      for (const [i, text] of hostileTexts.entries()) {
        await insertSession(db, { id: text, pairs: ['other', text] });
        const [stored] = await insertOrders(db, [
          {
            id: `o${i}`,
            sessionId: text,
            symbol: text,
            clientOrderId: text,
            status: text,
            data: { exchangeOrderId: text },
          },
        ]);
        expect(stored?.pairIndex).toBe(1);
      }
      for (const [i, text] of hostileTexts.entries()) {
        const expected = `o${i}`;
        expect((await findOrder(db, { clientOrderId: text }))?.id).toBe(expected);
        expect((await findOrder(db, { exchangeOrderId: text, sessionId: text }))?.id).toBe(expected);
        expect(ids(await listOrders(db, { sessionId: text, symbol: text, status: text }))).toEqual([
          expected,
        ]);
        expect(ids(await listOpenOrders(db, { symbol: text, statuses: [text] }))).toEqual([expected]);
      }
    }));

  test('orders: newest first, without a time last, at every page size, each row once', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertSession(db, { id: 't' });
      const times = [5, 5, 9, null, 0, null, -1];
      const read = async (
        list: (after: OrderKey | undefined) => Promise<{ id: string; timestamp: number | null }[]>,
      ) => {
        const seen: string[] = [];
        for (let page = await list(undefined); page.length > 0; page = await list(page.at(-1))) {
          seen.push(...ids(page));
          expect(seen.length).toBeLessThanOrEqual(times.length);
        }
        return seen;
      };
      await insertOrders(
        db,
        times.map((timestamp, i) => ({
          ...{ id: `o${i}`, sessionId: 's', symbol: 'A', side: 'Buy', status: 'open', timestamp },
        })),
      );
      const expected = ['o2', 'o1', 'o0', 'o4', 'o6', 'o5', 'o3'];
      for (const limit of [1, 2, 7, 1000]) {
        for (const list of [
          (after: OrderKey | undefined) => listOrders(db, { sessionId: 's', limit, after }),
          (after: OrderKey | undefined) => listOpenOrders(db, { limit, after }),
          (after: OrderKey | undefined) => listOrders(db, { limit, after }),
          (after: OrderKey | undefined) => listOrders(db, { status: 'OPEN', limit, after }),
          (after: OrderKey | undefined) => listOrders(db, { symbol: 'A', limit, after }),
          (after: OrderKey | undefined) =>
            listOrders(db, { symbol: 'A', side: 'buy', status: 'open', limit, after }),
        ]) {
          expect(await read(list)).toEqual(expected);
        }
      }
      await db.execute(sql`update orders set sessionid = 't', side = 'SELL'`);
      for (const limit of [1, 3]) {
        expect(await read((after) => listOpenSells(db, { sessionId: 't', limit, after }))).toEqual(expected);
      }
    }));

  test('orders: every filter, alone and together', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertSession(db, { id: 't' });
      const combinations = ['s', 't'].flatMap((sessionId) =>
        ['A', 'B'].flatMap((symbol) =>
          ['open', 'filled', 'partially_filled', null].flatMap((status) =>
            (['buy', 'sell'] as const).map((side) => ({ sessionId, symbol, status, side })),
          ),
        ),
      );
      const rows = combinations.map((row, i) => ({ ...row, id: `o${String(i).padStart(2, '0')}` }));
      await insertOrders(db, rows);
      const wanted = (test: (row: (typeof rows)[number]) => boolean) => ids(rows.filter(test)).reverse();
      const isOpen = (row: { status: string | null }) =>
        row.status === 'open' || row.status === 'partially_filled';

      for (const symbol of [undefined, 'A']) {
        for (const side of [undefined, 'sell' as const]) {
          const fits = (row: { symbol: string; side: string }) =>
            (symbol === undefined || row.symbol === symbol) && (side === undefined || row.side === side);
          for (const status of [undefined, 'filled', 'none']) {
            expect(ids(await listOrders(db, { symbol, status, side }))).toEqual(
              wanted((row) => fits(row) && (status === undefined || row.status === status)),
            );
            expect(ids(await listOrders(db, { sessionId: 's', symbol, status, side }))).toEqual(
              wanted(
                (row) =>
                  row.sessionId === 's' && fits(row) && (status === undefined || row.status === status),
              ),
            );
          }
          for (const sessionId of [undefined, 't']) {
            expect(ids(await listOpenOrders(db, { sessionId, symbol, side }))).toEqual(
              wanted(
                (row) => isOpen(row) && fits(row) && (sessionId === undefined || row.sessionId === sessionId),
              ),
            );
          }
        }
      }
    }));

  test('orders: decimals are numbers or exact text, in every column of prices and sizes', () =>
    run(async (db) => {
      const decimals = [
        'size',
        'filledSize',
        'filled',
        'remaining',
        'price',
        'marketPrice',
        'fee',
        'usdValue',
      ];
      const row = (id: string, values: readonly unknown[]) => ({
        id,
        ...Object.fromEntries(decimals.map((key, i) => [key, values[i % values.length]])),
      });
      await insertOrders(db, [
        row('a', [0.1, 1e-7]),
        row('b', ['0.100', '1e-7']),
        row('c', [null, undefined]),
      ]);
      const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((id) => findOrder(db, { id })));
      expect({ ...b, id: 'a' }).toEqual(a);
      expect(a).toMatchObject({ size: 0.1, filledSize: 1e-7, usdValue: 1e-7 });
      expect(c).toMatchObject({ size: null, filledSize: null });
      for (const price of ['1,5', '', 'Infinity', '1e39', 1e-46, '1e-60']) {
        await expect(insertOrders(db, [{ id: 'd' }, { id: 'e', price }])).rejects.toMatchObject({
          code: 'invalid_argument',
          message: expect.stringMatching(/^row 1: price /),
        });
      }
    }));

  test('orders: open sells are those of the session, of a symbol, in an open status', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      await insertOrders(db, [
        { id: 'o1', sessionId: 's', symbol: 'A', side: 'sell', status: 'filled' },
        { id: 'o2', sessionId: 's', symbol: 'A', side: 'buy', status: 'open' },
        { id: 'o3', sessionId: 's', symbol: 'A', side: 'sell', status: 'SUBMITTED' },
      ]);
      expect(await hasOpenSells(db, { sessionId: 's' })).toBe(false);
      expect(await hasOpenSells(db, { sessionId: 's', statuses: ['Submitted'] })).toBe(true);
      await insertOrders(db, [
        { id: 'o4', sessionId: 's', symbol: 'B', side: 'sell', status: 'partially_filled' },
      ]);
      expect(await hasOpenSells(db, { sessionId: 's' })).toBe(true);
      expect(await hasOpenSells(db, { sessionId: 's', symbol: 'B' })).toBe(true);
      expect(await hasOpenSells(db, { sessionId: 's', symbol: 'A' })).toBe(false);
      expect(ids(await listOpenSells(db, { sessionId: 's' }))).toEqual(['o4']);
      expect(ids(await listOpenSells(db, { sessionId: 's', symbol: 'A' }))).toEqual([]);
      expect(ids(await listOpenSells(db, { sessionId: 's', statuses: ['Submitted'] }))).toEqual(['o3']);
      expect(
        ids(await listOpenSells(db, { sessionId: 's', statuses: ['submitted', 'FILLED'], limit: 1 })),
      ).toEqual(['o3']);
    }));

  test('orders: statistics by symbol, side and status, in exact decimals, page by page', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      const a = { sessionId: 's', symbol: 'A' };
      await insertOrders(db, [
        {
          ...a,
          id: '1',
          side: 'BUY',
          status: 'FILLED',
          size: '0.1',
          filledSize: '0.1',
          usdValue: 10,
          timestamp: 5,
        },
        {
          ...a,
          id: '2',
          side: 'buy',
          status: 'filled',
          size: '0.2',
          filled: '0.2',
          usdValue: '0.7',
          timestamp: 3,
        },
        { ...a, id: '3', side: 'buy', status: 'Partially_Filled', size: '16777216', filledSize: 0 },
        { ...a, id: '4', side: 'sell', status: 'open', size: 1, timestamp: 9 },
        { id: '5', sessionId: 's', size: 2 },
        { id: '6', sessionId: 's', symbol: '', side: '', status: '' },
        { id: '7', symbol: 'A', side: 'buy', status: 'filled', size: 1, timestamp: 4 },
      ]);
      await db.execute(sql`update orders set size = 'NaN' where id = '4'`);
      const row = { size: '0', filledSize: '0', usdValue: '0', firstMs: null, lastMs: null, orderCount: 1 };
      const expected = [
        { ...row, symbol: null, side: null, status: null, size: '2' },
        { ...row, symbol: '', side: '', status: '' },
        {
          ...{ symbol: 'A', side: 'buy', status: 'filled', orderCount: 2, size: '0.3', filledSize: '0.3' },
          ...{ usdValue: '10.7', firstMs: 3, lastMs: 5 },
        },
        { ...row, symbol: 'A', side: 'buy', status: 'partiallyfilled', size: '16777216' },
        { ...row, symbol: 'A', side: 'sell', status: 'open', firstMs: 9, lastMs: 9 },
      ];
      for (const limit of [1, 2, 1000]) {
        const seen: OrderStats[] = [];
        let after: OrderStats | undefined;
        for (let pages = 0; pages < 10; pages++) {
          const page = await listOrderStats(db, { sessionId: 's', limit, after });
          seen.push(...page);
          after = page.at(-1);
          if (after === undefined) break;
        }
        expect(seen).toEqual(expected);
      }
      expect(await listOrderStats(db, { sessionId: 's', symbol: '' })).toEqual([expected[1]]);
      expect(await listOrderStats(db, { fromMs: 4, toMs: 9, symbol: 'A' })).toMatchObject([
        { symbol: 'A', side: 'buy', status: 'filled', orderCount: 2, size: '1.1', firstMs: 4, lastMs: 5 },
      ]);
    }));

  test('orders: a side and a status are the same in any spelling, stored and asked for', () =>
    run(async (db) => {
      const spellings = ['partially_filled', 'PARTIALLY_FILLED', 'PartiallyFilled', 'partially-filled'];
      for (const [i, status] of [...spellings, 'Partially Filled', 'pARTIALLY_fILLED', 'OPEN'].entries()) {
        const sessionId = `s${i}`;
        await insertSession(db, { id: sessionId });
        await insertOrders(db, [
          { id: `sell ${i}`, sessionId, symbol: 'A', side: i % 2 === 0 ? 'SELL' : 'Sell', status },
          { id: `buy ${i}`, sessionId, symbol: 'A', side: 'BUY', status: 'FILLED' },
        ]);
        expect(await hasOpenSells(db, { sessionId })).toBe(true);
        expect(ids(await listOpenOrders(db, { sessionId, side: 'sell' }))).toEqual([`sell ${i}`]);
        expect(ids(await listOrders(db, { sessionId, status: 'filled', side: 'buy' }))).toEqual([`buy ${i}`]);
        expect(ids(await listOrders(db, { sessionId, side: 'BUY' }))).toEqual([`buy ${i}`]);
        expect(ids(await listOrders(db, { sessionId, symbol: 'A', status, side: 'SELL' }))).toEqual([
          `sell ${i}`,
        ]);
      }
      for (const spelling of spellings) {
        expect(await listOpenOrders(db, { symbol: 'A', statuses: [spelling] })).toHaveLength(6);
        expect(ids(await listOrders(db, { sessionId: 's0', status: spelling }))).toEqual(['sell 0']);
      }
    }));

  test('orders: one with nothing left to fill is not open, whatever its status says', () =>
    run(async (db) => {
      await insertSession(db, { id: 's' });
      const left = {
        unknown: {},
        'remaining 1': { remaining: 1, size: 1, filledSize: 1 },
        'a part': { size: 2, filledSize: 1, filled: 2 },
        'a part, as older services write it': { size: 2, filled: 1 },
        'filled of an unknown size': { filledSize: 1 },
        'filled unknown': { size: 1 },
      };
      const none = {
        'remaining 0': { remaining: 0, size: 2, filledSize: 1 },
        all: { size: '0.3', filledSize: 0.3, filled: 0 },
        'all, as older services write it': { size: 2, filled: 2 },
        'more than all': { size: 3e38, filledSize: 3.1e38 },
      };
      for (const [id, sizes] of Object.entries({ ...none, ...left })) {
        await insertOrders(db, [{ id, sessionId: 's', symbol: id, side: 'sell', status: 'OPEN', ...sizes }]);
      }
      for (const statuses of [undefined, ['open']]) {
        expect(ids(await listOpenOrders(db, { statuses })).sort()).toEqual(Object.keys(left).sort());
        for (const symbol of Object.keys({ ...none, ...left })) {
          expect(await hasOpenSells(db, { sessionId: 's', symbol, statuses })).toBe(symbol in left);
        }
      }
      expect(await listOrders(db, { sessionId: 's', status: 'open' })).toHaveLength(10);
    }));

  test('orders: wrong options are refused before anything is sent', () =>
    run(async (db) => {
      const calls = [
        () => findOrder(db, JSON.parse('{}')),
        () => findOrder(db, JSON.parse('{"id":"a","clientOrderId":"b"}')),
        () => findOrder(db, JSON.parse('{"exchangeOrderId":"a"}')),
        () => findOrder(db, { id: '\0' }),
        () => listOpenSells(db, JSON.parse('{}')),
        () => listOrderStats(db, JSON.parse('{}')),
        () => listOrderStats(db, JSON.parse('{"sessionId":"s","fromMs":1,"toMs":2}')),
        () => listOrderStats(db, { fromMs: 2, toMs: 1 }),
        () => listOrderStats(db, { sessionId: 's', after: JSON.parse('{"symbol":"A"}') }),
        () => listOrders(db, { sessionId: 's', side: JSON.parse('"short"') }),
        () => listOrders(db, { sessionId: 's', after: JSON.parse('{"id":"a"}') }),
        () => listOpenOrders(db, { statuses: [] }),
        () => listOpenOrders(db, { limit: 1001 }),
        () => hasOpenSells(db, JSON.parse('{}')),
        () => insertOrders(db, [{ id: 'a', pairIndex: 3 } as { id: string }]),
        () => insertOrders(db, [{ id: 'a', price: Number.POSITIVE_INFINITY }]),
        () =>
          insertOrders(
            db,
            Array.from({ length: 10_001 }, () => ({ id: 'a' })),
          ),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'invalid_argument' });
    }));
}
