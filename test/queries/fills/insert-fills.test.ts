import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FillInput, type FillInsertion, insertFills } from '../../../src/queries/index.ts';
import { emptyTables, type OpenHandle, openPglite } from '../../support/handles.ts';
import { selectAll } from '../suites/variants.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

const fillInput: fc.Arbitrary<FillInput> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  symbol: fc.constantFrom('X', 'Y', null),
  side: fc.constantFrom('buy', 'sell', 'SELL', null),
  price: fc.constantFrom(1, '1.0', '1e0', 2, null),
  size: fc.constantFrom(1, null),
  amount: fc.constantFrom(1, null),
  timestamp: fc.constantFrom(1, 1, null),
  tradeId: fc.constantFrom(1, '1', 2n, 'x', null),
  fee: fc.constantFrom(null, 0.5),
  createdAt: fc.nat(3),
});

const numberOf = (value: string | number | null | undefined) => (value == null ? null : Number(value));
const sideOf = (row: FillInput) => row.side?.toLowerCase();
const venueIdOf = (row: FillInput) => (row.tradeId == null ? '' : String(row.tradeId));
const contentOf = (row: FillInput) =>
  JSON.stringify([
    ...[row.symbol, sideOf(row) ?? null, numberOf(row.price), row.size, row.amount, row.timestamp],
    ...[venueIdOf(row), numberOf(row.fee)],
  ]);
function identityOf(row: FillInput): string | undefined {
  const size = row.size ?? row.amount;
  const key = [row.symbol, sideOf(row) ?? '', numberOf(row.price), size, row.timestamp, venueIdOf(row)];
  return key.includes(null) ? undefined : JSON.stringify(key);
}

/** The same, one row after the other, in memory. */
function insertIntoModel(stored: Map<string, FillInput>, rows: readonly FillInput[]): FillInsertion[] {
  return rows.map((row) => {
    const byId = stored.get(row.id);
    if (byId !== undefined) {
      return { outcome: contentOf(byId) === contentOf(row) ? 'duplicate' : 'conflict', id: row.id };
    }
    const identity = identityOf(row);
    const twin = [...stored.values()].find(
      (other) => identity !== undefined && identityOf(other) === identity,
    );
    if (twin !== undefined) return { outcome: 'duplicate', id: twin.id };
    stored.set(row.id, row);
    return { outcome: 'inserted', id: row.id };
  });
}

test('insertFills does what inserting one row after the other would do', async () => {
  const calls = fc.array(fc.array(fillInput, { maxLength: 12 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(calls, async (batches) => {
      await emptyTables(handle.db);
      const stored = new Map<string, FillInput>();
      for (const rows of batches) {
        expect(await insertFills(handle.db, rows)).toEqual(insertIntoModel(stored, rows));
      }
      const rows = await selectAll(
        handle.db,
        'select id, price, createdat::int as at from fills order by id',
      );
      const expected = [...stored.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(rows).toEqual(
        expected.map(({ id, price, createdAt }) => ({ id, price: numberOf(price), at: createdAt })),
      );
    }),
    { numRuns: 60 },
  );
});

test('of two prices that only the server rounds to one, the first of the input is stored', async () => {
  await emptyTables(handle.db);
  const fill = { symbol: 'X', size: 1, timestamp: 1 };
  const rows = [
    { ...fill, id: 'first', price: '0.0000758291790' },
    { ...fill, id: 'second', price: '0.00007582917533' },
  ];
  expect(await insertFills(handle.db, rows)).toEqual([
    { outcome: 'inserted', id: 'first' },
    { outcome: 'duplicate', id: 'first' },
  ]);
});

test('what becomes of the caller’s rows meanwhile changes nothing', async () => {
  await emptyTables(handle.db);
  const rows = Array.from({ length: 6000 }, (_, i) => ({
    id: `f${i}`,
    symbol: 'X',
    timestamp: i,
    price: '1',
  }));
  const inserting = insertFills(handle.db, rows);
  for (const row of rows) row.price = 'n/a';
  expect((await inserting).every(({ outcome }) => outcome === 'inserted')).toBe(true);
  expect(await selectAll(handle.db, 'select count(*)::int as stored from fills where price = 1')).toEqual([
    { stored: 6000 },
  ]);
});
