import { expect, test } from 'vitest';
import { insertOrders, insertSession, type SessionInput, saveSessions } from '../../../src/queries/index.ts';
import { hostileTexts } from './pairs.ts';
import { type Run, selectAll } from './variants.ts';

const outcomes = (saved: readonly { outcome: string; id: string }[]) =>
  saved.map(({ outcome, id }) => `${outcome} ${id}`);

export function saveSessionsSuite(run: Run): void {
  test('saveSessions: inserted, updated, unchanged and stale; what is left out is not touched', () =>
    run(async (db) => {
      expect(await saveSessions(db, [])).toEqual([]);
      const full = {
        status: 'running',
        settings: { a: 1 },
        budget: '0.1',
        settleSession: true,
        lastUpdated: 5,
      };
      for (const id of ['a', 'b', 'c']) await insertSession(db, { id, pairs: ['A', 'B'], ...full });
      const saved = await saveSessions(db, [
        { id: 'new', symbol: 'X', lastUpdated: 1 },
        { id: 'c', status: 'completed', lastUpdated: 4 },
        { id: 'b', ...full, pairs: ['A', 'B'], settings: { a: 1 } },
        { id: 'a', status: 'completed', settings: null, settledComplete: false },
      ]);
      expect(outcomes(saved)).toEqual(['inserted new', 'stale c', 'unchanged b', 'updated a']);
      expect(
        await selectAll(
          db,
          'select id, status, settings, budget, settlesession as settle, settledcomplete as done, pairs, pair_count as n from sessions order by id',
        ),
      ).toEqual([
        {
          id: 'a',
          status: 'completed',
          settings: null,
          budget: 0.1,
          settle: true,
          done: false,
          pairs: ['A', 'B'],
          n: 2,
        },
        {
          id: 'b',
          status: 'running',
          settings: { a: 1 },
          budget: 0.1,
          settle: true,
          done: null,
          pairs: ['A', 'B'],
          n: 2,
        },
        {
          id: 'c',
          status: 'running',
          settings: { a: 1 },
          budget: 0.1,
          settle: true,
          done: null,
          pairs: ['A', 'B'],
          n: 2,
        },
        {
          id: 'new',
          status: null,
          settings: null,
          budget: null,
          settle: null,
          done: null,
          pairs: ['X'],
          n: 1,
        },
      ]);
    }));

  test('saveSessions: pairs that say nothing change nothing; others are stored, counted, and reach the orders', () =>
    run(async (db) => {
      await insertSession(db, { id: 'one', symbol: 'A' });
      await insertSession(db, { id: 'none' });
      await insertSession(db, { id: 'two', symbol: 'A', pairs: ['A', 'B'] });
      await insertOrders(db, [{ id: 'o', sessionId: 'two', symbol: 'B' }]);
      const save = async (row: SessionInput) => (await saveSessions(db, [row]))[0]?.outcome;
      const pairsOf = async (id: string) =>
        (await selectAll(db, `select pairs, pair_count as n from sessions where id = '${id}'`))[0];
      for (const pairs of [null, undefined, []]) {
        expect(await save({ id: 'one', pairs })).toBe('unchanged');
        expect(await save({ id: 'none', pairs })).toBe('unchanged');
      }
      expect(await save({ id: 'one', pairs: ['A'] })).toBe('unchanged');
      expect(await save({ id: 'two', pairs: null })).toBe('unchanged');
      expect(await pairsOf('two')).toEqual({ pairs: ['A', 'B'], n: 2 });
      expect(await save({ id: 'two', pairs: ['B', 'A'] })).toBe('updated');
      expect(await selectAll(db, 'select pair_index from orders')).toEqual([{ pair_index: 0 }]);
      expect(await save({ id: 'two', pairs: [] })).toBe('updated');
      expect(await pairsOf('two')).toEqual({ pairs: ['A'], n: 1 });
      expect(await save({ id: 'one', symbol: 'Z' })).toBe('updated');
      expect(await pairsOf('one')).toEqual({ pairs: ['Z'], n: 1 });
      expect(await save({ id: 'none', tradingPair: 'Y' })).toBe('updated');
      expect(await pairsOf('none')).toEqual({ pairs: ['Y'], n: 1 });
    }));

  test('saveSessions: any text and JSON is stored as it is', () =>
    run(async (db) => {
      const rows = hostileTexts.map((text) => ({
        ...{ id: text, exchange: text, pairs: ['other', text], settings: { [text]: text }, data: text },
      }));
      expect(outcomes(await saveSessions(db, rows))).toEqual(hostileTexts.map((text) => `inserted ${text}`));
      expect(outcomes(await saveSessions(db, rows))).toEqual(hostileTexts.map((text) => `unchanged ${text}`));
      const bad = await selectAll(
        db,
        `select id from sessions where (exchange, data, settings ->> id, pairs) is distinct from
          (id, to_jsonb(id), id, jsonb_build_array('other', id))`,
      );
      expect(bad).toEqual([]);
    }));

  test('saveSessions: one malformed row is named by place and id, and none is sent', () =>
    run(async (db) => {
      const bad: [Record<string, unknown>, RegExp][] = [
        [{ id: 'bad', pairs: 'A' }, /^row 1 \(id "bad"\): pairs must be an array/],
        [{ id: 'bad', pairs: ['a\0'] }, /^row 1 \(id "bad"\): pairs: each holds/],
        [{ id: 'bad', pairCount: 1 }, /^row 1 \(id "bad"\): pairCount is not a column/],
        [{ id: 'bad', settings: { secret: 1n } }, /^row 1 \(id "bad"\): settings can't be written/],
      ];
      for (const [row, message] of bad) {
        await expect(saveSessions(db, [{ id: 'good' }, row as { id: string }])).rejects.toMatchObject({
          code: 'invalid_argument',
          message: expect.stringMatching(message),
        });
      }
      expect(await selectAll(db, 'select id from sessions')).toEqual([]);
    }));
}
