import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listDuplicates } from '../../../src/ops/duplicates/duplicates.ts';
import { fill, openUnguardedFills, type UnguardedFills } from '../../support/unguarded-fills.ts';

let fills: UnguardedFills;
let live: UnguardedFills['live'];
let connection: UnguardedFills['connection'];
let store: UnguardedFills['store'];
beforeAll(async () => {
  fills = await openUnguardedFills();
  ({ live, connection, store } = fills);
});
beforeEach(() => fills.reset());
afterAll(() => fills[Symbol.asyncDispose]());

test('says which row stays, and why', async () => {
  await store('fills', [
    fill('a1', { tradeid: 5, createdat: 1 }),
    fill('a2', { execid: '5', createdat: 9 }),
    fill('b1', { timestamp: 2000, createdat: null }),
    fill('b2', { timestamp: 2000, createdat: 3, size: null, amount: 1 }),
    fill('c1', { timestamp: 3000, sessionid: null, orderid: null }),
    fill('c0', { timestamp: 3000, sessionid: null, orderid: null, side: 'sell' }),
    fill('c2', { timestamp: 3000, sessionid: null, orderid: null }),
    fill('c3', { timestamp: 3000, sessionid: null, orderid: null, execid: '6' }),
  ]);
  const { samples, ...totals } = await listDuplicates(connection);
  expect(totals).toEqual({
    groups: 3,
    surplusRows: 3,
    surplusRowsWithVenueId: 1,
    surplusRowsWithoutVenueId: 2,
    identicalGroups: 1,
    differingColumns: [
      { column: 'createdat', groups: 2 },
      ...['amount', 'execid', 'size', 'tradeid'].map((column) => ({ column, groups: 1 })),
    ],
  });
  expect(samples).toEqual([
    {
      symbol: 'BTC/USD',
      side: 'buy',
      sessionId: 's1',
      orderId: 'o1',
      timestampMs: 1000,
      price: 100,
      size: 1,
      venueId: '5',
      rows: 2,
      keptId: 'a2',
      keptBecause: 'execution_id',
      surplusIds: ['a1'],
      differsIn: ['execid', 'tradeid', 'createdat'],
    },
    expect.objectContaining({
      keptId: 'b2',
      keptBecause: 'stored_first',
      surplusIds: ['b1'],
      size: 1,
      differsIn: ['size', 'amount', 'createdat'],
    }),
    expect.objectContaining({
      keptId: 'c1',
      keptBecause: 'lowest_id',
      surplusIds: ['c2'],
      sessionId: null,
      differsIn: [],
    }),
  ]);
});

test('counts all, shows some', async () => {
  await store(
    'fills',
    Array.from({ length: 60 }, (_, place) => fill(`f${place}`, { timestamp: Math.floor(place / 20) })),
  );
  const found = await listDuplicates(connection, { samples: 2 });
  expect(found).toMatchObject({ groups: 3, surplusRows: 57 });
  expect(found.samples.map(({ rows, surplusIds }) => [rows, surplusIds.length])).toEqual([
    [20, 10],
    [20, 10],
  ]);
  expect(await listDuplicates(connection, { samples: 0 })).toMatchObject({ surplusRows: 57, samples: [] });
  await expect(listDuplicates(connection, { samples: 1001 })).rejects.toMatchObject({ code: 'USAGE' });
});

test('says in which columns the rows of a group differ, a null and columns of others among them', async () => {
  await live.exec(`
    alter table fills add column "Venue note" json;
    insert into fills (id, symbol, "timestamp", price, size, execid, fee, clientorderid, data, "Venue note") values
      ('a', 'X', 1, 1, 1, '1', 0.1, 'c', '{"a": 1}', '1'), ('b', 'X', 1, 1, 1, '1', 0.2, 'c', '{"a": 1}', '2'),
      ('c', 'X', 2, 1, 1, '1', 0.1, 'c', '{"a": 1}', '1'), ('d', 'X', 2, 1, 1, '1', null, 'd', '{"a": 2}', '1'),
      ('e', 'X', 3, 1, 1, '1', 0.1, 'c', '{"a": 1, "b": 2}', '1'), ('f', 'X', 3, 1, 1, '1', 0.1, 'c', '{"b":2,"a":1}', '1')`);
  const found = await listDuplicates(connection, { samples: 2 });
  expect(found).toMatchObject({
    groups: 3,
    identicalGroups: 1,
    differingColumns: [
      { column: 'fee', groups: 2 },
      ...['Venue note', 'clientorderid', 'data'].map((column) => ({ column, groups: 1 })),
    ],
  });
  expect(found.samples.map(({ keptId, differsIn }) => [keptId, differsIn])).toEqual([
    ['a', ['fee', 'Venue note']],
    ['c', ['clientorderid', 'fee', 'data']],
  ]);
  await live.exec('alter table fills drop column "Venue note"');
});
