import { expect, test } from 'vitest';
import { insertOrders, insertSession, type OrderInput, saveOrders } from '../../../src/queries/index.ts';
import { hostileTexts, ignoreRollback, Rollback } from './pairs.ts';
import { type Run, selectAll } from './variants.ts';

const outcomes = (saved: readonly { outcome: string; id: string }[]) =>
  saved.map(({ outcome, id }) => `${outcome} ${id}`);

export function saveOrdersSuite(run: Run): void {
  test('saveOrders: nothing to save', () => run(async (db) => expect(await saveOrders(db, [])).toEqual([])));

  test('saveOrders: each row says what became of it, in the order of the input', () =>
    run(async (db) => {
      await insertOrders(db, [
        { id: 'a', status: 'open', price: '0.1', lastUpdated: 5 },
        { id: 'b', status: 'open', price: '0.1', lastUpdated: 5 },
        { id: 'c', status: 'open', price: '0.1', lastUpdated: 5 },
        { id: 'd', status: 'open', lastUpdated: null },
      ]);
      const saved = await saveOrders(db, [
        { id: 'z', status: 'new', lastUpdated: 1 },
        { id: 'c', status: 'filled', lastUpdated: 4 },
        { id: 'b', status: 'open', price: 0.1, lastUpdated: 5 },
        { id: 'a', status: 'filled', lastUpdated: 5 },
        { id: 'd', status: 'filled', lastUpdated: 0 },
        { id: 'y' },
      ]);
      expect(outcomes(saved)).toEqual([
        'inserted z',
        'stale c',
        'unchanged b',
        'updated a',
        'updated d',
        'inserted y',
      ]);
      expect(
        await selectAll(db, 'select id, status, price, lastupdated::int as at from orders order by id'),
      ).toEqual([
        { id: 'a', status: 'filled', price: 0.1, at: 5 },
        { id: 'b', status: 'open', price: 0.1, at: 5 },
        { id: 'c', status: 'open', price: 0.1, at: 5 },
        { id: 'd', status: 'filled', price: null, at: 0 },
        { id: 'y', status: null, price: null, at: null },
        { id: 'z', status: 'new', price: null, at: 1 },
      ]);
    }));

  test('saveOrders: what a row leaves out is not touched, null is stored, each row for itself', () =>
    run(async (db) => {
      const full = {
        status: 'open',
        size: 2,
        purpose: 'p',
        data: { a: [1] },
        lastUpdated: 5,
        openOrdersAtCreation: 3,
      };
      await insertOrders(
        db,
        ['a', 'b', 'c', 'd'].map((id) => ({ id, ...full })),
      );
      const saved = await saveOrders(db, [
        { id: 'd', purpose: undefined, data: undefined },
        { id: 'a', status: 'filled' },
        { id: 'b', status: null, data: null, lastUpdated: null },
        { id: 'c', size: '0.5', purpose: 'q', data: 'null', lastUpdated: 6 },
      ]);
      expect(outcomes(saved)).toEqual(['unchanged d', 'updated a', 'updated b', 'updated c']);
      expect(
        await selectAll(
          db,
          `select id, status, size, purpose, data::text, lastupdated::int as at, openordersatcreation as open from orders order by id`,
        ),
      ).toEqual([
        { id: 'a', status: 'filled', size: 2, purpose: 'p', data: '{"a": [1]}', at: 5, open: 3 },
        { id: 'b', status: null, size: 2, purpose: 'p', data: null, at: null, open: 3 },
        { id: 'c', status: 'open', size: 0.5, purpose: 'q', data: '"null"', at: 6, open: 3 },
        { id: 'd', status: 'open', size: 2, purpose: 'p', data: '{"a": [1]}', at: 5, open: 3 },
      ]);
    }));

  test('saveOrders: of rows with one id the newest is saved, the others are stale', () =>
    run(async (db) => {
      const calls: [OrderInput[], string[], string | null][] = [
        [
          [
            { id: 'o', status: 'b', lastUpdated: 2 },
            { id: 'o', status: 'c', size: 1, lastUpdated: 3 },
            { id: 'o', status: 'a', lastUpdated: 1 },
          ],
          ['stale o', 'inserted o', 'stale o'],
          'c',
        ],
        [
          [
            { id: 'o', status: 'd', lastUpdated: 3 },
            { id: 'o', status: 'e', lastUpdated: 3 },
          ],
          ['stale o', 'updated o'],
          'e',
        ],
        [
          [
            { id: 'o', status: 'f' },
            { id: 'o', status: 'g', lastUpdated: 9 },
          ],
          ['updated o', 'stale o'],
          'f',
        ],
        [
          [
            { id: 'o', status: 'h', lastUpdated: 1 },
            { id: 'o', status: 'h', lastUpdated: 2 },
          ],
          ['stale o', 'stale o'],
          'f',
        ],
      ];
      for (const [rows, expected, status] of calls) {
        expect(outcomes(await saveOrders(db, rows))).toEqual(expected);
        expect(await selectAll(db, 'select status, size from orders')).toEqual([{ status, size: 1 }]);
      }
    }));

  test('saveOrders: the position comes from the session’s pairs, and follows the symbol', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', pairs: ['A', 'B'] });
      const positions = () => selectAll(db, 'select id, pair_index from orders order by id');
      await saveOrders(db, [
        { id: 'a', sessionId: 's', symbol: 'B' },
        { id: 'b', sessionId: 's', symbol: 'Z' },
        { id: 'c', symbol: 'A' },
      ]);
      expect(await positions()).toEqual([
        { id: 'a', pair_index: 1 },
        { id: 'b', pair_index: null },
        { id: 'c', pair_index: null },
      ]);
      await saveOrders(db, [
        { id: 'a', symbol: 'A' },
        { id: 'c', sessionId: 's' },
      ]);
      expect(await positions()).toMatchObject([{ pair_index: 0 }, { pair_index: null }, { pair_index: 0 }]);
    }));

  test('saveOrders: any text and JSON is stored as it is, new and again', () =>
    run(async (db) => {
      const rows = hostileTexts.map((text) => ({
        id: text,
        clientOrderId: text,
        purpose: text,
        data: { [text]: [text] },
      }));
      expect(outcomes(await saveOrders(db, rows))).toEqual(hostileTexts.map((text) => `inserted ${text}`));
      expect(outcomes(await saveOrders(db, rows))).toEqual(hostileTexts.map((text) => `unchanged ${text}`));
      const others = rows.map((row) => ({ ...row, data: row.id, status: row.id }));
      expect(outcomes(await saveOrders(db, others))).toEqual(hostileTexts.map((text) => `updated ${text}`));
      const bad = await selectAll(
        db,
        `select id from orders where (clientorderid, purpose, status, data) is distinct from (id, id, id, to_jsonb(id))`,
      );
      expect(bad).toEqual([]);
    }));

  test('saveOrders: more than one batch, in any order', () =>
    run(async (db) => {
      const name = (i: number) => `o${String((i * 7919) % 12_000).padStart(5, '0')}`;
      const rows = Array.from({ length: 12_000 }, (_, i) => ({
        id: name(i),
        status: 'open',
        lastUpdated: i,
      }));
      expect((await saveOrders(db, rows.slice(0, 6000))).every(({ outcome }) => outcome === 'inserted')).toBe(
        true,
      );
      const saved = await saveOrders(
        db,
        rows.map((row, i) => (i % 3 === 0 ? { ...row, status: 'filled', purpose: 'p' } : row)),
      );
      expect(outcomes(saved)).toEqual(
        rows.map(({ id }, i) => `${i >= 6000 ? 'inserted' : i % 3 === 0 ? 'updated' : 'unchanged'} ${id}`),
      );
    }));

  test('saveOrders: one malformed row is named by place and id, and none is sent', () =>
    run(async (db) => {
      const bad: [Record<string, unknown>, RegExp][] = [
        [{ id: 'bad', price: 'secret' }, /^row 1 \(id "bad"\): price must be/],
        [{ id: 'bad', pairIndex: 1 }, /^row 1 \(id "bad"\): pairIndex is not a column/],
        [{ id: 'bad', lastUpdated: '5' }, /^row 1 \(id "bad"\): lastUpdated must be an integer/],
        [{ id: 'x'.repeat(5000), size: '' }, /^row 1 \(id "x{100}"\): size must be/],
        [{ status: 'open' }, /^row 1: id must be given/],
        [{ id: 7 }, /^row 1: id must be a string/],
      ];
      for (const [row, message] of bad) {
        const error: unknown = await saveOrders(db, [{ id: 'good' }, row as { id: string }]).catch(
          (thrown) => thrown,
        );
        expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringMatching(message) });
        expect(String(error)).not.toContain('secret');
      }
      await expect(saveOrders(db, JSON.parse('{"0":{"id":"a"}}'))).rejects.toThrow('rows must be an array');
      expect(await selectAll(db, 'select id from orders')).toEqual([]);
    }));

  test('saveOrders: a session that does not exist is an error that names the constraint and no value', () =>
    run(async (db) => {
      const error: unknown = await saveOrders(db, [{ id: 'a', sessionId: 'nowhere-secret' }]).catch((e) => e);
      expect(error).toMatchObject({ code: 'foreign_key_violation', constraint: 'fk_orders_sessionid' });
      expect(String(error)).not.toContain('secret');
      expect(error).not.toHaveProperty('saved');
      throw new Rollback();
    }).catch(ignoreRollback));
}
