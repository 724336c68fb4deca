import type { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createPglite } from '../support/pglite.ts';

let db: PGlite;
beforeAll(async () => {
  db = await createPglite('migrated');
});
afterEach(() => db.exec('truncate sessions cascade'));
afterAll(() => db.close());

const insert = async (columns: Record<string, unknown>): Promise<unknown> => {
  const row = { id: 's', ...columns };
  const result = await db.query(
    `insert into sessions (${Object.keys(row).join(', ')})
     values (${Object.keys(row)
       .map((_, i) => `$${i + 1}`)
       .join(', ')})
     returning symbol, pairs, pair_count`,
    Object.values(row),
  );
  return result.rows[0];
};
const update = async (assignments: string): Promise<unknown> => {
  const result = await db.query(`update sessions set ${assignments} returning symbol, pairs, pair_count`);
  return result.rows[0];
};

describe('pairs is an array of strings, or refused by name', () => {
  test.each([
    '"BTC/USD"',
    '{}',
    '{"a": ["b"]}',
    '[1]',
    '["BTC/USD", null]',
    '[["BTC/USD"]]',
    '1',
    'true',
    'null',
  ])('%s', async (pairs) => {
    await expect(insert({ pairs })).rejects.toMatchObject({
      constraint: 'sessions_pairs_is_array_of_strings',
    });
    await insert({});
    await expect(update(`pairs = '${pairs}'`)).rejects.toMatchObject({
      constraint: 'sessions_pairs_is_array_of_strings',
    });
  });
});

describe('the database keeps pair_count, and pairs for services that know one pair', () => {
  test('pair_count is the length of pairs, whatever is written', async () => {
    expect(await insert({ pairs: '["A", "B"]', pair_count: 99 })).toMatchObject({ pair_count: 2 });
    expect(await update('pair_count = 5')).toMatchObject({ pair_count: 2 });
    expect(await update(`pairs = '["A", "B", "B", ""]'`)).toMatchObject({ pair_count: 4 });
  });

  test.each([
    [{ symbol: 'A' }, ['A']],
    [{ tradingpair: 'B' }, ['B']],
    [{ symbol: 'A', tradingpair: 'B' }, ['A']],
    [{ symbol: '', tradingpair: 'B' }, ['B']],
    [{ symbol: 'A', pairs: null }, ['A']],
    [{ symbol: 'A', pairs: '[]' }, ['A']],
    [{ symbol: 'A', pairs: '["X", "Y"]' }, ['X', 'Y']],
    [{}, []],
    [{ pairs: null }, []],
  ])('%j is stored with the pairs %j', async (columns, pairs) => {
    expect(await insert(columns)).toMatchObject({ pairs, pair_count: pairs.length });
  });

  test('a service of the old kind names its one pair later, changes it, takes it away', async () => {
    await insert({});
    expect(await update(`symbol = 'A'`)).toMatchObject({ pairs: ['A'], pair_count: 1 });
    expect(await update(`symbol = 'B'`)).toMatchObject({ pairs: ['B'], pair_count: 1 });
    expect(await update('symbol = null')).toMatchObject({ pairs: [], pair_count: 0 });
  });

  test('it never touches the pairs of a multi-pair session', async () => {
    await insert({ symbol: 'A', pairs: '["A", "B"]' });
    expect(await update(`symbol = 'C'`)).toMatchObject({ pairs: ['A', 'B'], pair_count: 2 });
    expect(await update(`symbol = 'D', pairs = '["D", "E", "F"]'`)).toMatchObject({ pair_count: 3 });
  });

  test('a session with a symbol cannot be left without pairs', async () => {
    await insert({ symbol: 'A', pairs: '["A", "B"]' });
    expect(await update(`pairs = '[]'`)).toMatchObject({ pairs: ['A'], pair_count: 1 });
  });
});
