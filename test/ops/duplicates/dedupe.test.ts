import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dedupeFills } from '../../../src/ops/duplicates/dedupe.ts';
import { listDuplicates } from '../../../src/ops/duplicates/duplicates.ts';
import { undoDedupeFills } from '../../../src/ops/duplicates/undo-dedupe.ts';
import { fill, openUnguardedFills, type Row, type UnguardedFills } from '../../support/unguarded-fills.ts';

let fills: UnguardedFills;
let live: UnguardedFills['live'];
let connection: UnguardedFills['connection'];
let store: UnguardedFills['store'];
let listIds: UnguardedFills['listIds'];
beforeAll(async () => {
  fills = await openUnguardedFills();
  ({ live, connection, store, listIds } = fills);
});
beforeEach(() => fills.reset());
afterAll(() => fills[Symbol.asyncDispose]());

test('a buy and a sell of one moment are two, whatever case they have', async () => {
  await store('fills', [
    fill('a', { tradeid: 1 }),
    fill('b', { tradeid: 1, side: 'sell' }),
    fill('c', { tradeid: 1, side: 'SELL' }),
    fill('d', { tradeid: 1, side: null }),
  ]);
  const { samples } = await listDuplicates(connection);
  expect(samples).toMatchObject([{ keptId: 'b', surplusIds: ['c'], differsIn: ['side'] }]);
  expect(await dedupeFills(connection)).toMatchObject({ movedRows: 1, remainingRows: 0 });
  expect(await listIds('multi_pair_db.archived_fills')).toEqual(['c']);
});

test('leaves what no venue’s id proves, unless it is told to move that too', async () => {
  const pair = (ids: string, rest: Partial<Row>) => [...ids].map((id) => fill(id, rest));
  await store('fills', [
    ...pair('ab', { timestamp: 1, execid: 'x' }),
    ...pair('cd', { timestamp: 2, tradeid: 5 }),
    ...pair('ef', { timestamp: 3 }),
    // Empty, it hides the trade id from the index: equal there, and proven only where the trade ids are equal too.
    ...pair('gh', { timestamp: 4, execid: '', tradeid: 5 }),
    ...pair('i', { timestamp: 5, execid: '', tradeid: 5 }),
    ...pair('j', { timestamp: 5, execid: '', tradeid: 6 }),
  ]);
  expect(await dedupeFills(connection)).toMatchObject({
    movedRows: 3,
    remainingRows: 2,
    remainingRowsWithoutVenueId: 2,
  });
  expect(await listIds('multi_pair_db.archived_fills')).toEqual(['b', 'd', 'h']);
  expect(await dedupeFills(connection, { withoutVenueId: true })).toMatchObject({
    movedRows: 2,
    remainingRows: 0,
  });
});

test.each([0, -1, 1.5, 10_001, Number.NaN])('refuses batches of %d rows', async (batchRows) => {
  await store('fills', [fill('a', { tradeid: 1 }), fill('b', { tradeid: 1 })]);
  await expect(dedupeFills(connection, { batchRows })).rejects.toMatchObject({
    code: 'USAGE',
    message: `batchRows must be an integer from 1 to 10000, and not ${batchRows}`,
  });
  expect(await listIds('fills')).toEqual(['a', 'b']);
});

test('moves a row with all its columns, also one that fills has got since', async () => {
  await store('fills', [fill('a', { tradeid: 1 }), fill('b', { tradeid: 1 })]);
  await dedupeFills(connection);
  await live.exec(
    `alter table fills add column venue_note text; drop index if exists idx_fills_unique_dedup`,
  );
  await live.exec(`insert into fills (id, symbol, side, "timestamp", price, amount, sessionid, orderid, venue_note, fees, createdat, tradeid)
    values ('c', 'BTC/USD', 'Buy', 1000, 100, 1, 's1', 'o1', 'late', '{"BNB": 0.1}', 5, 1),
      ('a', 'x', 'buy', 1, 1, 1, null, null, null, null, null, 1)
    on conflict do nothing`);
  expect(await dedupeFills(connection)).toMatchObject({ movedRows: 1, archivedRows: 2 });
  const { rows } = await live.query(
    'select id, venue_note, fees, archived_reason, archived_kept_id from multi_pair_db.archived_fills order by archive_id',
  );
  expect(rows).toEqual([
    { id: 'b', venue_note: null, fees: null, archived_reason: 'lowest_id', archived_kept_id: 'a' },
    { id: 'a', venue_note: null, fees: null, archived_reason: 'stored_first', archived_kept_id: 'c' },
  ]);
  await live.exec('alter table fills drop column venue_note');
});

test('undo brings back what no longer collides, once, and leaves what has lost its order', async () => {
  await store('fills', [fill('a'), fill('b'), fill('c'), fill('d', { timestamp: 2000 })]);
  await store('fills', [fill('e', { timestamp: 2000 })]);
  await store('fills', [
    fill('g', { timestamp: 3000, orderid: 'o2' }),
    fill('h', { timestamp: 3000, orderid: 'o2' }),
  ]);
  await dedupeFills(connection, { withoutVenueId: true });
  expect(await undoDedupeFills(connection)).toMatchObject({ restoredRows: 0, archivedRows: 4 });

  await live.exec(`delete from fills where id in ('a', 'g'); delete from orders where id = 'o2'`);
  expect(await undoDedupeFills(connection)).toMatchObject({ restoredRows: 1, archivedRows: 3 });
  expect(await listIds('fills')).toEqual(['b', 'd']);
  expect(await listIds('multi_pair_db.archived_fills')).toEqual(['c', 'e', 'h']);
  await live.exec(`insert into orders (id) values ('o2')`);
});

test('refuses an archive whose columns have other types, and moves nothing', async () => {
  await live.exec('create table multi_pair_db.archived_fills (id text, price numeric)');
  await store('fills', [fill('a'), fill('b')]);
  await expect(dedupeFills(connection)).rejects.toMatchObject({
    code: 'REFUSED',
    message:
      'multi_pair_db.archived_fills has other columns than fills: price is numeric there and real in fills',
  });
  expect(await listIds('fills')).toEqual(['a', 'b']);
});
