import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { insertOrders, insertSession } from '../../src/queries/index.ts';
import {
  insertFillSchema,
  insertOrderSchema,
  insertSessionSchema,
  listSessionsToSettleOptionsSchema,
} from '../../src/zod/index.ts';
import { type OpenHandle, openPglite, truncate } from '../support/handles.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());
beforeEach(() => truncate(handle.db));

test('what a service may send is taken as it is', () => {
  const session = { id: 's', pairs: ['BTC/USD', ''], startedAt: 1, budget: 3.4e38, settings: { a: [null] } };
  expect(insertSessionSchema.parse(session)).toEqual(session);
  expect(insertSessionSchema.parse({ id: 's', pairs: null, symbol: null })).toEqual({
    id: 's',
    pairs: null,
    symbol: null,
  });
  const order = { id: 'o', price: 151_234_000, data: 'text', side: 'sell' };
  expect(insertOrderSchema.parse(order)).toEqual(order);
  const fill = { id: 'f', tradeId: 9_223_372_036_854_775_807n, fee: -1e-45 };
  expect(insertFillSchema.parse(fill)).toEqual(fill);
  const fromVenue = { id: 'f', price: '61837.63', size: '1e-7', tradeId: 'c0ffee-uuid' };
  expect(insertFillSchema.parse(fromVenue)).toEqual(fromVenue);
});

test.each([
  [insertSessionSchema, {}],
  [insertSessionSchema, { id: null }],
  [insertSessionSchema, { id: 'a\0' }],
  [insertSessionSchema, { id: 'a', pairs: 'BTC/USD' }],
  [insertSessionSchema, { id: 'a', pairs: [1] }],
  [insertSessionSchema, { id: 'a', pairs: [['BTC/USD']] }],
  [insertSessionSchema, { id: 'a', pairCount: 2 }],
  [insertSessionSchema, { id: 'a', startedAt: 1.5 }],
  [insertSessionSchema, { id: 'a', startedAt: 2 ** 53 }],
  [insertSessionSchema, { id: 'a', cycleCount: 2 ** 31 }],
  [insertSessionSchema, { id: 'a', settings: { 'a\0': 1 } }],
  [insertSessionSchema, { id: 'a', settings: ['\ud800'] }],
  [insertSessionSchema, { id: 'a', settings: { at: new Date() } }],
  [insertOrderSchema, { id: 'a', price: 1e39 }],
  [insertOrderSchema, { id: 'a', price: 1e-46 }],
  [insertOrderSchema, { id: 'a', price: Number.NaN }],
  [insertOrderSchema, { id: 'a', price: '1.5' }],
  [insertOrderSchema, { id: 'a', pair_index: 1 }],
  [insertFillSchema, { id: 'a', tradeId: 2n ** 63n }],
  [insertFillSchema, { id: 'a', tradeId: '' }],
  [insertFillSchema, { id: 'a', price: '1,5' }],
  [insertFillSchema, { id: 'a', price: '1e39' }],
  [listSessionsToSettleOptionsSchema, { lookbackHours: 1, startedAfterMs: 1 }],
  [listSessionsToSettleOptionsSchema, { limit: 1001 }],
])('%# is refused', (schema, value) => {
  expect(schema.safeParse(value).success).toBe(false);
});

test('what the schema of a session or order takes, the database stores', async () => {
  const text = fc.string({ unit: 'binary' });
  const input = fc.record({
    pairs: fc.array(text, { maxLength: 4 }),
    // Seven doubles in eight are no float4: alone, they would leave a run in twelve with nothing stored.
    budget: fc.oneof(fc.float(), fc.double()),
    startedAt: fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double()),
    symbol: fc.option(text),
    settings: fc.jsonValue(),
  });
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(input, async (values) => {
      const id = `s${stored}`;
      const session = insertSessionSchema.safeParse({ ...values, id });
      if (session.success) {
        await insertSession(handle.db, session.data);
        stored++;
      }
      const order = insertOrderSchema.safeParse({ id, symbol: values.symbol, price: values.budget });
      if (order.success && session.success) await insertOrders(handle.db, [order.data]);
    }),
    { numRuns: 50 },
  );
  expect(stored).toBeGreaterThan(0);
  const bad = await handle.db.execute(
    sql`select id from sessions where pair_count <> jsonb_array_length(pairs)`,
  );
  expect(bad).toMatchObject({ rows: [] });
});
