import { getTableColumns, is, sql } from 'drizzle-orm';
import { PgJsonb, PgReal } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pg-proxy';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fillColumns } from '../../src/queries/fills/fill-input.ts';
import {
  InvalidArgumentError,
  insertFills,
  insertOrders,
  insertSession,
  saveOrders,
  saveSessions,
} from '../../src/queries/index.ts';
import { orderEncoder } from '../../src/queries/orders/insert-orders.ts';
import { sessionEncoder } from '../../src/queries/sessions/insert-session.ts';
import { fills, orders, sessions } from '../../src/schema/index.ts';
import {
  insertFillSchema,
  insertOrderSchema,
  insertSessionSchema,
  listSessionsToSettleOptionsSchema,
  saveOrderSchema,
  saveSessionSchema,
} from '../../src/zod/index.ts';
import { emptyTables, type OpenHandle, openPglite } from '../support/handles.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());
beforeEach(() => emptyTables(handle.db));

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
  const exact = { id: 'o', price: '61837.63', size: '1e-7', fee: null };
  expect(insertOrderSchema.parse(exact)).toEqual(exact);
  expect(insertSessionSchema.parse({ id: 's', budget: '0.1' })).toEqual({ id: 's', budget: '0.1' });
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
  [insertOrderSchema, { id: 'a', price: '1,5' }],
  [insertOrderSchema, { id: 'a', price: '1e-400' }],
  [insertSessionSchema, { id: 'a', budget: '1e39' }],
  [insertFillSchema, { id: '' }],
  [insertFillSchema, { id: 'a', execId: '' }],
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

const decimals = fc.oneof(
  fc.float(),
  fc.double(),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double().map(String),
  fc.stringMatching(/^[+-]?\d{0,3}\.?\d{0,3}(e[+-]?\d{1,3})?$/),
  fc.constantFrom<unknown>(
    null,
    undefined,
    '',
    'Infinity',
    'NaN',
    '0x1',
    ' 1',
    '1e-400',
    '0e400',
    1n,
    true,
    {},
    [1],
  ),
);
const others = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<unknown>('a', 5, true, 1n, null, undefined) },
  fc.constantFrom<unknown>('', 'a\0', '\ud800', 0.5, 2 ** 31, 2 ** 53, 2n ** 63n, Number.NaN, -1, '7'),
);
/** Documents that are JSON as they stand; queries also write what has a `toJSON`, which the schemas refuse. */
const documents = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, undefined, '\\u0000', { a: ['b\0'] }, { 'a\ud800': 1 }, '\udc00', { a: 1n }),
);

const pairLists = fc.array(fc.constantFrom<unknown>('A', '', 'a\0', 7, null), { maxLength: 2 });

/** A database that refuses nothing, and gives so many rows. */
const giving = (count: number) => drizzle(async () => ({ rows: Array.from({ length: count }, () => []) }));
/** One that has stored the row with the id `a`. */
const saving = drizzle(async () => ({ rows: [['a', 'inserted']] }));
const inserts = {
  sessions: [
    sessions,
    insertSessionSchema,
    sessionEncoder.columns,
    async (row: never): Promise<unknown> => insertSession(giving(1), row),
  ],
  orders: [
    orders,
    insertOrderSchema,
    orderEncoder.columns,
    async (row: never): Promise<unknown> => insertOrders(giving(0), [row]),
  ],
  'sessions to save': [
    sessions,
    saveSessionSchema,
    sessionEncoder.columns,
    async (row: never): Promise<unknown> => saveSessions(saving, [row]),
  ],
  'orders to save': [
    orders,
    saveOrderSchema,
    orderEncoder.columns,
    async (row: never): Promise<unknown> => saveOrders(saving, [row]),
  ],
  fills: [
    fills,
    insertFillSchema,
    fillColumns,
    async (row: never): Promise<unknown> => insertFills(giving(0), [row]),
  ],
} as const;

describe.each(Object.entries(inserts))('%s', (_, [table, schema, columns, insert]) => {
  const insertable = Object.entries(getTableColumns(table)).filter(([key]) =>
    columns.some((column) => column.key === key),
  );

  test('the schema has the columns that the function takes', () => {
    expect(Object.keys(schema.shape).sort()).toEqual(columns.map(({ key }) => key).sort());
  });

  test('the schema takes what the function takes', async () => {
    const arbitraries = insertable
      .filter(([key]) => key !== 'id')
      .map(([key, column]) => {
        const values = is(column, PgReal) ? decimals : is(column, PgJsonb) ? documents : others;
        return fc.tuple(fc.constant(key), key === 'pairs' ? fc.oneof(values, pairLists) : values);
      });
    const seen = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.oneof(...arbitraries), async ([key, value]) => {
        const row = { id: 'a', [key]: value };
        const error = await insert(row as never).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(InvalidArgumentError);
        expect(schema.safeParse(row).success).toBe(error === undefined);
        seen[error === undefined ? 'taken' : 'refused']++;
      }),
      { numRuns: 1500 },
    );
    expect(seen.taken).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });
});

test('what the schema of a session or order takes, the database stores', async () => {
  const text = fc.string({ unit: 'binary' });
  const input = fc.record({
    pairs: fc.array(text, { maxLength: 4 }),
    // Seven doubles in eight are no float4: alone, they would leave a run in twelve with nothing stored.
    budget: fc.oneof(fc.float(), fc.double(), fc.double().map(String)),
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
