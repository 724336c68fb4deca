import type { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Connection } from '../../../src/connection/connection.ts';
import { connectEmbedded } from '../../../src/connection/open.ts';
import { dedupeFills } from '../../../src/ops/duplicates/dedupe.ts';
import { listDuplicates } from '../../../src/ops/duplicates/duplicates.ts';
import { undoDedupeFills } from '../../../src/ops/duplicates/undo-dedupe.ts';
import { createPglite } from '../../support/pglite.ts';

let live: PGlite;
let connection: Connection;
/** `CREATE UNIQUE INDEX idx_fills_unique_dedup …`, in the words of the migrated database. */
let uniqueIndex: string;

beforeAll(async () => {
  live = await createPglite('migrated');
  connection = await connectEmbedded(live);
  const { rows } = await live.query<{ definition: string }>(
    "select pg_get_indexdef('idx_fills_unique_dedup'::regclass) as definition",
  );
  uniqueIndex = rows[0]?.definition ?? '';
  await live.exec(`
    insert into sessions (id) values ('s1'), ('s2');
    insert into orders (id) values ('o1'), ('o2');`);
});
beforeEach(() =>
  live.exec(
    'drop index if exists idx_fills_unique_dedup; drop table if exists multi_pair_db.archived_fills; truncate fills',
  ),
);
afterAll(() => live.close());

interface Row {
  readonly id: string;
  readonly sessionid: string | null;
  readonly orderid: string | null;
  readonly symbol: string | null;
  readonly side: string | null;
  readonly timestamp: number | null;
  readonly price: number | string | null;
  readonly size: number | null;
  readonly amount: number | null;
  readonly execid: string | null;
  readonly tradeid: number | null;
  readonly createdat: number | null;
}

/** Few values of everything, so that rows collide often; and each oddity that the key has a rule for. */
const anyRows: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      sessionid: fc.constantFrom('s1', null),
      orderid: fc.constantFrom('o1', null),
      symbol: fc.constantFrom('BTC/USD', 'BTC/USD', 'BTC/USD', null),
      side: fc.constantFrom('sell', 'SELL', 'sell', 'buy', null),
      timestamp: fc.constantFrom(1000, 1000, 1000, null),
      price: fc.constantFrom(0.1, 'NaN', '-0', 0, null),
      size: fc.constantFrom(1, null, null),
      amount: fc.constantFrom(1, 2, null),
      execid: fc.constantFrom('7', 'x', '', null, null),
      tradeid: fc.constantFrom(7, 8, null),
      createdat: fc.constantFrom(1, 2, null),
    }),
    // As many as that, and not the few that are the default: or next to none would collide.
    { maxLength: 60, size: 'max' },
  )
  .map((rows) => rows.map((row, place) => ({ ...row, id: `f${(place * 7919) % 1000}` })));

const knowsMostFirst = (a: Row, b: Row): number =>
  Number((a.execid ?? '') === '') - Number((b.execid ?? '') === '') ||
  (a.createdat ?? Number.POSITIVE_INFINITY) - (b.createdat ?? Number.POSITIVE_INFINITY) ||
  (a.id < b.id ? -1 : 1);

async function store(table: string, rows: readonly Row[]): Promise<Set<string>> {
  const columns =
    'id, sessionid, orderid, symbol, side, "timestamp", price, size, amount, execid, tradeid, createdat';
  const { rows: stored } = await live.query<{ id: string }>(
    `insert into ${table} (${columns})
     select ${columns} from jsonb_populate_recordset(null::fills, $1) with ordinality order by ordinality
     on conflict do nothing returning id`,
    [JSON.stringify(rows)],
  );
  return new Set(stored.map(({ id }) => id));
}

/** What the index itself refuses, offered the rows in the order in which they are to be kept. */
async function findRefused(rows: readonly Row[]): Promise<string[]> {
  await live.exec('drop table if exists copy; create temp table copy (like fills)');
  await live.exec(uniqueIndex.replace(/idx_fills_unique_dedup ON \S+/, 'copy_unique ON copy'));
  const stored = await store('copy', [...rows].sort(knowsMostFirst));
  return rows.map(({ id }) => id).filter((id) => !stored.has(id));
}

const listIds = async (table: string): Promise<string[]> =>
  (await live.query<{ id: string }>(`select id from ${table} order by id collate "C"`)).rows.map(
    ({ id }) => id,
  );

/** What the rows say of themselves: how many the venue's id proves, and in how many groups all rows say the same. */
function groupByHand(rows: readonly Row[]): { proven: number; identicalGroups: number } {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const { symbol, timestamp, price } = row;
    const size = row.size ?? row.amount;
    if ([symbol, timestamp, price, size].includes(null)) continue;
    const venueId = row.execid ?? row.tradeid ?? '';
    const side = row.side?.toLowerCase() ?? '';
    // -0 is 0 to PostgreSQL.
    const key = [row.sessionid ?? '', row.orderid ?? '', symbol, side, Number(price) + 0, size, venueId];
    groups.set(key.join('|'), [...(groups.get(key.join('|')) ?? []), row]);
  }
  let proven = 0;
  let identicalGroups = 0;
  for (const group of groups.values()) {
    const [kept, ...surplus] = group.sort(knowsMostFirst);
    const hasVenueId = (kept?.execid ?? kept?.tradeid ?? '') !== '';
    proven += surplus.filter(
      ({ tradeid }) => hasVenueId || (tradeid !== null && tradeid === kept?.tradeid),
    ).length;
    const contents = new Set(group.map(({ id: _id, ...content }) => JSON.stringify(content)));
    if (surplus.length > 0 && contents.size === 1) identicalGroups++;
  }
  return { proven, identicalGroups };
}

test('duplicates are exactly what the unique index refuses, and dedupe moves exactly them', async () => {
  await fc.assert(
    fc.asyncProperty(anyRows, async (rows) => {
      await live.exec(
        'drop index if exists idx_fills_unique_dedup; drop table if exists multi_pair_db.archived_fills; truncate fills',
      );
      await store('fills', rows);
      const refused = (await findRefused(rows)).sort();

      const found = await listDuplicates(connection, { samples: 1000 });
      expect(found.surplusRows).toBe(refused.length);
      expect(found.groups).toBe(found.samples.length);
      for (const group of found.samples) expect(refused).not.toContain(group.keptId);
      if (found.samples.every(({ rows: copies }) => copies <= 11)) {
        expect(found.samples.flatMap(({ surplusIds }) => surplusIds).sort()).toEqual(refused);
      }

      const { proven, identicalGroups } = groupByHand(rows);
      expect(found).toMatchObject({ surplusRowsWithVenueId: proven, identicalGroups });
      const left = refused.length - proven;
      expect(await dedupeFills(connection, { batchRows: 3 })).toMatchObject({
        movedRows: proven,
        remainingRows: left,
        remainingRowsWithoutVenueId: left,
        archivedRows: proven,
      });
      expect(await dedupeFills(connection, { batchRows: 3, withoutVenueId: true })).toMatchObject({
        movedRows: left,
        remainingRows: 0,
        remainingRowsWithoutVenueId: 0,
        archivedRows: refused.length,
      });
      expect(await listIds('multi_pair_db.archived_fills')).toEqual(refused);
      expect([...(await listIds('fills')), ...refused].sort()).toEqual(rows.map(({ id }) => id).sort());
      await live.exec(uniqueIndex);
      expect(await undoDedupeFills(connection)).toMatchObject({ restoredRows: 0 });
    }),
    { numRuns: 25 },
  );
});

const fill = (id: string, rest: Partial<Row> = {}): Row => ({
  id,
  sessionid: 's1',
  orderid: 'o1',
  symbol: 'BTC/USD',
  side: 'buy',
  timestamp: 1000,
  price: 100,
  size: 1,
  amount: null,
  execid: null,
  tradeid: null,
  createdat: null,
  ...rest,
});

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
