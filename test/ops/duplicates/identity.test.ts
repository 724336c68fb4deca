import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dedupeFills } from '../../../src/ops/duplicates/dedupe.ts';
import { listDuplicates } from '../../../src/ops/duplicates/duplicates.ts';
import { undoDedupeFills } from '../../../src/ops/duplicates/undo-dedupe.ts';
import { openUnguardedFills, type Row, type UnguardedFills } from '../../support/unguarded-fills.ts';

let fills: UnguardedFills;
let live: UnguardedFills['live'];
let connection: UnguardedFills['connection'];
let uniqueIndex: UnguardedFills['uniqueIndex'];
let store: UnguardedFills['store'];
let listIds: UnguardedFills['listIds'];
beforeAll(async () => {
  fills = await openUnguardedFills();
  ({ live, connection, uniqueIndex, store, listIds } = fills);
});
beforeEach(() => fills.reset());
afterAll(() => fills[Symbol.asyncDispose]());

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

/** What the index itself refuses, offered the rows in the order in which they are to be kept. */
async function findRefused(rows: readonly Row[]): Promise<string[]> {
  await live.exec('drop table if exists copy; create temp table copy (like fills)');
  await live.exec(uniqueIndex.replace(/idx_fills_unique_dedup ON \S+/, 'copy_unique ON copy'));
  const stored = await store('copy', [...rows].sort(knowsMostFirst));
  return rows.map(({ id }) => id).filter((id) => !stored.has(id));
}

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
      await fills.reset();
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
