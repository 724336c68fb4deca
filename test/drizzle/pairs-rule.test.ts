import type { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rowRules } from '../../src/own/row-rules.ts';
import { createPglite } from '../support/pglite.ts';

let db: PGlite;
beforeAll(async () => {
  db = await createPglite('migrated');
});
afterEach(() => db.exec('delete from orders; delete from sessions'));
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
    // A name that is taken away takes no pair with it.
    expect(await update('symbol = null')).toMatchObject({ pairs: ['B'], pair_count: 1 });
  });

  test('a pair whose name was taken away follows the next name', async () => {
    await insert({ symbol: 'A' });
    await update('symbol = null');
    expect(await update(`symbol = 'B'`)).toMatchObject({ pairs: ['B'], pair_count: 1 });
  });

  test('whatever such a service writes into the two names, one after the other, verify has nothing to say', async () => {
    const names = `(values (null), (''), ('A'), ('B'))`;
    const pairOfNames = `select row_number() over () as n, a.name as symbol, b.name as tradingpair from ${names} as a (name), ${names} as b (name)`;
    // A session for each of the 16 * 16 * 16 ways: its id says which.
    await db.exec(`
      create temp table names as ${pairOfNames};
      insert into sessions (id, symbol, tradingpair)
      select format('%s %s %s', x.n, y.n, z.n), x.symbol, x.tradingpair from names as x, names as y, names as z`);
    const broken = rowRules
      .filter(({ table }) => table === 'sessions')
      .map(({ condition }) => `(${condition})`);
    for (const step of [2, 3]) {
      await db.exec(
        `update sessions set symbol = names.symbol, tradingpair = names.tradingpair from names
         where n = split_part(id, ' ', ${step})::int`,
      );
      const rows = await db.query(
        `select id, symbol, tradingpair, pairs from sessions where ${broken.join(' or ')} limit 3`,
      );
      expect(rows.rows, `write ${step}`).toEqual([]);
    }
    await db.exec('drop table names');
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

  test('null says nothing: an upsert of a service of the old kind leaves the pairs that are there', async () => {
    const upsert = (pairs: string) =>
      db.query(`insert into sessions (id, symbol, status, pairs) values ('s', 'A', 'running', ${pairs})
        on conflict (id) do update set symbol = excluded.symbol, status = excluded.status, pairs = excluded.pairs,
          pair_count = excluded.pair_count
        returning symbol, pairs, pair_count`);
    const first = await upsert('null');
    expect(first.rows).toEqual([{ symbol: 'A', pairs: ['A'], pair_count: 1 }]);
    await update(`pairs = '["A", "B"]'`);
    for (const nothing of ['null', 'default', `'[]'`]) {
      const again = await upsert(nothing);
      expect(again.rows).toEqual([{ symbol: 'A', pairs: ['A', 'B'], pair_count: 2 }]);
    }
    expect(await update('pairs = null')).toMatchObject({ pairs: ['A', 'B'], pair_count: 2 });
    const said = await upsert(`'["A", "C", "D"]'`);
    expect(said.rows).toEqual([{ symbol: 'A', pairs: ['A', 'C', 'D'], pair_count: 3 }]);
  });

  test('an upsert of many rows at once: each new one is filled, each stored one keeps its own', async () => {
    await insert({ symbol: 'A', pairs: '["A", "B"]' });
    const result = await db.query(`insert into sessions (id, symbol, pairs)
      select id, 'X', null from unnest('{s,t,u}'::text[]) as id
      on conflict (id) do update set symbol = excluded.symbol, pairs = excluded.pairs
      returning id, pairs, pair_count`);
    expect(result.rows).toEqual([
      { id: 's', pairs: ['A', 'B'], pair_count: 2 },
      { id: 't', pairs: ['X'], pair_count: 1 },
      { id: 'u', pairs: ['X'], pair_count: 1 },
    ]);
  });
});

describe('the database keeps pair_index, whoever writes the order', () => {
  const order = async (columns: string, values: string): Promise<unknown> => {
    const result = await db.query<{ pair_index: number | null }>(
      `insert into orders (id, sessionid, symbol${columns}) values ${values}
       on conflict (id) do update set symbol = excluded.symbol, pair_index = excluded.pair_index
       returning pair_index`,
    );
    return result.rows.map((row) => row.pair_index);
  };

  test('inserted, upserted, moved to another pair or session', async () => {
    await insert({ pairs: '["A", "B", "B", "C"]' });
    expect(await order('', `('1', 's', 'A'), ('2', 's', 'B'), ('3', 's', 'C')`)).toEqual([0, 1, 3]);
    expect(await order(', pair_index', `('2', 's', 'B', 0), ('4', 's', 'C', null)`)).toEqual([1, 3]);
    expect(
      (await db.query(`update orders set symbol = 'C' where id = '2' returning pair_index`)).rows,
    ).toEqual([{ pair_index: 3 }]);
    expect(
      (await db.query(`update orders set pair_index = 9 where id = '3' returning pair_index`)).rows,
    ).toEqual([{ pair_index: 3 }]);
    await db.exec(`insert into sessions (id, pairs) values ('t', '["C"]')`);
    expect(
      (await db.query(`update orders set sessionid = 't' where id = '3' returning pair_index`)).rows,
    ).toEqual([{ pair_index: 0 }]);
  });

  test('a symbol that is not among them, and an order without either, leave what the service gave', async () => {
    await insert({ pairs: '["A", "B"]' });
    expect(
      await order(
        ', pair_index',
        `('1', 's', 'X', 7), ('2', 's', null, 5), ('3', null, 'A', 4), ('4', 's', 'X', null)`,
      ),
    ).toEqual([7, 5, 4, null]);
  });

  test('it is kept when the pairs are reordered, grow or shrink', async () => {
    await insert({ pairs: '["A", "B"]' });
    await order('', `('1', 's', 'A'), ('2', 's', 'B'), ('3', 's', 'X')`);
    const indexes = async (): Promise<unknown> =>
      (await db.query<{ pair_index: number }>('select pair_index from orders order by id')).rows.map(
        (row) => row.pair_index,
      );
    await update(`pairs = '["B", "A"]'`);
    expect(await indexes()).toEqual([1, 0, 0]);
    await update(`pairs = '["X", "Y", "A", "B"]'`);
    expect(await indexes()).toEqual([2, 3, 0]);
    await update(`pairs = '["B"]'`);
    expect(await indexes()).toEqual([2, 0, 0]);
  });

  test('also for a writer whose search path leads elsewhere, and in a session that plays a replica', async () => {
    await insert({ pairs: '["A", "B"]' });
    await db.exec(`set search_path = ''; set session_replication_role = replica`);
    try {
      await db.exec(`insert into public.orders (id, sessionid, symbol) values ('1', 's', 'B')`);
      await db.exec(`update public.sessions set pairs = '["B", "A"]'`);
      await db.exec(`insert into public.sessions (id, symbol) values ('t', 'A') on conflict (id) do nothing`);
    } finally {
      await db.exec('reset search_path; reset session_replication_role');
    }
    expect((await db.query('select pair_index from orders')).rows).toEqual([{ pair_index: 0 }]);
    expect((await db.query(`select pairs, pair_count from sessions where id = 't'`)).rows).toEqual([
      { pairs: ['A'], pair_count: 1 },
    ]);
  });
});
