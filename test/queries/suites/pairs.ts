import { expect, test } from 'vitest';
import {
  insertOrders,
  insertSession,
  listMultiPairSessions,
  listSessionsByPair,
  listSessionsByPairs,
  type SessionKey,
  type SessionSummary,
  setSessionPairs,
} from '../../../src/queries/index.ts';
import { type Run, selectAll } from './variants.ts';

/** Texts that break what is not parameterised, or compared otherwise than byte by byte. */
export const hostileTexts = [
  'BTC/USD',
  'XBTUSDT',
  'KRW-LAMB',
  'btc/usd',
  "'; drop table sessions; --",
  '"quoted"',
  'back\\slash',
  '["json"]',
  '{a,b}',
  'null',
  '',
  ' ',
  '🚀/USD',
  'é',
  'e\u0301',
  '%_',
  '$1',
  'x'.repeat(10_000),
];

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

/** All pages, one after the other, with a bound so that a loop ends as a failure. */
export async function readPages(
  list: (after: SessionKey | undefined) => Promise<SessionSummary[]>,
): Promise<string[]> {
  const all: string[] = [];
  let after: SessionKey | undefined;
  for (let page = 0; page < 1000; page++) {
    const rows = await list(after);
    all.push(...ids(rows));
    after = rows.at(-1);
    if (after === undefined) return all;
  }
  throw new Error('paging does not end');
}

export function pairsSuite(run: Run): void {
  test('pairs: nothing is found in an empty table', () =>
    run(async (db) => {
      expect(await listSessionsByPair(db, { pair: 'BTC/USD' })).toEqual([]);
      expect(await listSessionsByPairs(db, { pairs: ['BTC/USD'], match: 'any' })).toEqual([]);
      expect(await listMultiPairSessions(db)).toEqual([]);
    }));

  test('pairs: a session comes back with exact types, its pairs and their number kept by the database', () =>
    run(async (db) => {
      const stored = await insertSession(db, {
        id: 'a',
        pairs: ['BTC/USD', '123'],
        startedAt: 1_700_000_000_000,
        budget: 0.5,
        simulationMode: false,
        cycleCount: 7,
        settings: { depth: [1, null] },
        data: '123',
      });
      expect(stored).toMatchObject({
        id: 'a',
        pairs: ['BTC/USD', '123'],
        pairCount: 2,
        startedAt: 1_700_000_000_000,
        budget: 0.5,
        simulationMode: false,
        cycleCount: 7,
        endedAt: null,
      });
      expect(await listSessionsByPair(db, { pair: '123' })).toEqual([stored]);
      expect(
        await selectAll(db, `select jsonb_typeof(data) as data, settings ->> 'depth' as depth from sessions`),
      ).toEqual([{ data: 'string', depth: '[1, null]' }]);
    }));

  test('pairs: an old service’s symbol or tradingPair becomes the one pair', () =>
    run(async (db) => {
      await insertSession(db, { id: 'a', symbol: 'BTC/USD' });
      await insertSession(db, { id: 'b', tradingPair: 'BTC/USD', pairs: [] });
      await insertSession(db, { id: 'c' });
      expect(ids(await listSessionsByPair(db, { pair: 'BTC/USD' }))).toEqual(['b', 'a']);
    }));

  test('pairs: a budget as an exact decimal is rounded once, by PostgreSQL', () =>
    run(async (db) => {
      // To JavaScript, which rounds to a double first, these two are different float4 values.
      for (const [id, budget] of [
        ['a', '0.0000758291790'],
        ['b', '0.00007582917533'],
      ] as const) {
        expect((await insertSession(db, { id, budget })).budget).toBe(7.582918e-5);
      }
      expect((await insertSession(db, { id: 'c', budget: '151234000' })).budget).toBe(151_234_000);
    }));

  test('pairs: newest first, never started last, at every page size, each row once', () =>
    run(async (db) => {
      const starts = [5, 5, 5, 9, 0, -3, null, null, 7, null];
      for (const [i, startedAt] of starts.entries()) {
        await insertSession(db, { id: `s${i}`, pairs: ['A', 'B'], startedAt });
      }
      await insertSession(db, { id: 'other', pairs: ['C'], startedAt: 8 });
      const expected = ['s3', 's8', 's2', 's1', 's0', 's4', 's5', 's9', 's7', 's6'];
      for (const limit of [1, 2, 3, 7, 10, 1000]) {
        const by = (after: SessionKey | undefined) => ({ limit, after });
        expect(await readPages((after) => listSessionsByPair(db, { pair: 'A', ...by(after) }))).toEqual(
          expected,
        );
        expect(
          await readPages((after) =>
            listSessionsByPairs(db, { pairs: ['B', 'X'], match: 'any', ...by(after) }),
          ),
        ).toEqual(expected);
        expect(await readPages((after) => listMultiPairSessions(db, by(after)))).toEqual(expected);
      }
    }));

  test('pairs: all, any, and the exchange', () =>
    run(async (db) => {
      await insertSession(db, { id: 'ab', pairs: ['A', 'B'], exchange: 'kraken', startedAt: 3 });
      await insertSession(db, { id: 'b', pairs: ['B'], exchange: 'okx', startedAt: 2 });
      await insertSession(db, { id: 'abc', pairs: ['C', 'B', 'A'], startedAt: 1 });
      expect(ids(await listSessionsByPairs(db, { pairs: ['B', 'A'], match: 'all' }))).toEqual(['ab', 'abc']);
      expect(ids(await listSessionsByPairs(db, { pairs: ['C', 'A'], match: 'any' }))).toEqual(['ab', 'abc']);
      expect(
        ids(await listSessionsByPairs(db, { pairs: ['A', 'B'], match: 'any', exchange: 'okx' })),
      ).toEqual(['b']);
      expect(ids(await listSessionsByPair(db, { pair: 'A', exchange: 'kraken' }))).toEqual(['ab']);
      expect(ids(await listSessionsByPair(db, { pair: 'A', exchange: 'Kraken' }))).toEqual([]);
      expect(ids(await listMultiPairSessions(db, { minPairs: 3 }))).toEqual(['abc']);
      expect(ids(await listMultiPairSessions(db, { minPairs: 0 }))).toEqual(['ab', 'b', 'abc']);
    }));

  test('pairs: any text is stored and found exactly as it is, and nothing else', () =>
    run(async (db) => {
      for (const [i, pair] of hostileTexts.entries()) {
        await insertSession(db, { id: `s${i}`, pairs: [pair] });
      }
      for (const [i, pair] of hostileTexts.entries()) {
        expect(ids(await listSessionsByPair(db, { pair }))).toEqual([`s${i}`]);
        expect(ids(await listSessionsByPairs(db, { pairs: [pair], match: 'any' }))).toEqual([`s${i}`]);
      }
      const any = await listSessionsByPairs(db, { pairs: hostileTexts, match: 'any' });
      expect(any).toHaveLength(hostileTexts.length);
      for (const id of hostileTexts) {
        if (id !== '') expect((await insertSession(db, { id, exchange: id })).exchange).toBe(id);
      }
    }));

  test('pairs: new positions reach the orders that are there', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', pairs: ['A'] });
      await insertSession(db, { id: 't', pairs: ['A'] });
      await insertOrders(db, [
        { id: 'o1', sessionId: 's', symbol: 'A' },
        { id: 'o2', sessionId: 's', symbol: 'B' },
        { id: 'o3', sessionId: 't', symbol: 'A' },
      ]);
      const stored = await setSessionPairs(db, { sessionId: 's', pairs: ['B', 'A', 'B'] });
      expect(stored).toMatchObject({ pairs: ['B', 'A', 'B'], pairCount: 3 });
      expect(await selectAll(db, 'select id, pair_index from orders order by id')).toEqual([
        { id: 'o1', pair_index: 1 },
        { id: 'o2', pair_index: 0 },
        { id: 'o3', pair_index: 0 },
      ]);
      await expect(setSessionPairs(db, { sessionId: 'x', pairs: ['A'] })).rejects.toMatchObject({
        code: 'not_found',
      });
    }));

  test('pairs: wrong options are refused before anything is sent', () =>
    run(async (db) => {
      const refused = { code: 'invalid_argument' };
      const calls = [
        () => listSessionsByPair(db, { pair: 'a\0b' }),
        () => listSessionsByPair(db, { pair: 'A', limit: 0 }),
        () => listSessionsByPair(db, { pair: 'A', limit: 1001 }),
        () => listSessionsByPair(db, { pair: 'A', after: { startedAt: 2 ** 60, id: 'a' } }),
        () => listSessionsByPair(db, { pair: 'A', after: JSON.parse('{"id":"a"}') }),
        () => listSessionsByPairs(db, { pairs: [], match: 'all' }),
        () => listSessionsByPairs(db, { pairs: JSON.parse('[1]'), match: 'all' }),
        () => listSessionsByPairs(db, { pairs: Array(1001).fill('A'), match: 'any' }),
        () => listSessionsByPairs(db, { pairs: ['A'], match: JSON.parse('"none"') }),
        () => listMultiPairSessions(db, { minPairs: 1.5 }),
        () => insertSession(db, { id: 'a', pairs: JSON.parse('"A"') }),
        () => insertSession(db, { id: 'a', pairs: ['a\0'] }),
        () => insertSession(db, { id: 'a', budget: Number.NaN }),
        () => insertSession(db, { id: 'a', budget: 'secret' }),
        () => insertSession(db, { id: 'a', budget: '1e39' }),
        () => insertSession(db, { id: 'a', settings: { key: ['a\0'] } }),
        () => insertSession(db, { id: 'a', data: 1n }),
        () => insertSession(db, { id: 'a', startedAt: 1.5 }),
        () => insertSession(db, JSON.parse('null')),
        () => insertSession(db, JSON.parse('{"pairs":["A"]}')),
        () => insertSession(db, JSON.parse('{"id":"a","pair_count":3}')),
        () => setSessionPairs(db, { sessionId: 'a', pairs: JSON.parse('null') }),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject(refused);
      expect(await selectAll(db, 'select id from sessions')).toEqual([]);
    }));

  test('pairs: an id that is taken is a typed error without a value in it', () =>
    run(async (db) => {
      await insertSession(db, { id: 'secret-id' });
      const error: unknown = await insertSession(db, { id: 'secret-id' }).catch((thrown) => thrown);
      expect(error).toMatchObject({
        code: 'unique_violation',
        sqlState: '23505',
        constraint: 'sessions_pkey',
        table: 'sessions',
      });
      expect(String(error)).not.toContain('secret-id');
      throw new Rollback();
    }).catch(ignoreRollback));
}

/** Leaves a transaction that a failed statement has ended; node-postgres would report its COMMIT as done. */
export class Rollback extends Error {}
export function ignoreRollback(error: unknown): void {
  if (!(error instanceof Rollback)) throw error;
}
