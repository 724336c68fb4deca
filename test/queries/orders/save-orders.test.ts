import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OrderInput, type SavedRow, saveOrders } from '../../../src/queries/index.ts';
import { emptyTables, type OpenHandle, openPglite } from '../../support/handles.ts';
import { selectAll } from '../suites/variants.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

/** `purpose` is none of the columns that nearly every order has. */
const order: fc.Arbitrary<OrderInput> = fc.record(
  {
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    status: fc.constantFrom('open', 'filled', null, undefined),
    filledSize: fc.constantFrom(0, 1, '1.0', null),
    purpose: fc.constantFrom('p', 'q', null),
    data: fc.constantFrom(null, { a: 1 }, [], 'text'),
    lastUpdated: fc.constantFrom(1, 2, 3, 4, null, undefined),
  },
  { requiredKeys: ['id'] },
);

const columns = ['status', 'filledSize', 'purpose', 'data', 'lastUpdated'] as const;
type Stored = Record<(typeof columns)[number], unknown>;
const asStored = (column: string, value: unknown) =>
  column === 'filledSize' && typeof value === 'string' ? Number(value) : value;
const ageOf = (row: OrderInput) => row.lastUpdated ?? Number.POSITIVE_INFINITY;

/** The same in memory, one row after the other. */
function saveIntoModel(stored: Map<string, Stored>, rows: readonly OrderInput[]): SavedRow[] {
  const newest = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    const other = rows[newest.get(row.id) ?? -1];
    if (other === undefined || ageOf(row) >= ageOf(other)) newest.set(row.id, i);
  }
  return rows.map((row, i): SavedRow => {
    const { id } = row;
    if (newest.get(id) !== i) return { outcome: 'stale', id };
    const given = columns.filter((column) => row[column] !== undefined);
    const before = stored.get(id);
    const nothing = Object.fromEntries(columns.map((column) => [column, null])) as Stored;
    const after = { ...(before ?? nothing) };
    for (const column of given) after[column] = asStored(column, row[column]);
    if (before === undefined) {
      stored.set(id, after);
      return { outcome: 'inserted', id };
    }
    const [mine, theirs] = [row.lastUpdated ?? null, before.lastUpdated];
    if (mine !== null && typeof theirs === 'number' && mine < theirs) return { outcome: 'stale', id };
    if (JSON.stringify(before) === JSON.stringify(after)) return { outcome: 'unchanged', id };
    stored.set(id, after);
    return { outcome: 'updated', id };
  });
}

test('saveOrders does what saving the newest row of each id would do, call after call', async () => {
  const seen = { inserted: 0, updated: 0, unchanged: 0, stale: 0 };
  const calls = fc.array(fc.array(order, { maxLength: 8 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(calls, async (batches) => {
      await emptyTables(handle.db);
      const stored = new Map<string, Stored>();
      // Each call twice, as a service sends it that has lost the answer.
      for (const rows of batches.flatMap((call) => [call, call])) {
        const saved = await saveOrders(handle.db, rows);
        expect(saved).toEqual(saveIntoModel(stored, rows));
        for (const { outcome } of saved) seen[outcome]++;
      }
      const rows = await selectAll(
        handle.db,
        `select id, status, filledsize as "filledSize", purpose, data, lastupdated::int as "lastUpdated" from orders order by id`,
      );
      const expected = [...stored]
        .map(([id, row]) => ({ id, ...row }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(rows).toEqual(expected);
    }),
    { numRuns: 100 },
  );
  for (const [outcome, count] of Object.entries(seen)) expect(count, outcome).toBeGreaterThan(10);
});
