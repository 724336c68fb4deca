import { getTableColumns, sql } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, PgDialect, pgTable, real, text } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineQuery } from '../../../src/queries/core/query.ts';
import {
  createRowEncoder,
  encodeRows,
  toArrays,
  unnestArrays,
} from '../../../src/queries/core/row-encoder.ts';
import { type OpenHandle, openPglite } from '../../support/handles.ts';

const table = pgTable('t', {
  id: text('the_id').primaryKey(),
  price: real('price'),
  count: integer('count'),
  atMs: bigint('atms', { mode: 'number' }),
  venueId: bigint('venueid', { mode: 'bigint' }),
  isMaker: boolean('ismaker'),
  data: jsonb('data'),
});
const fields = getTableColumns(table);
const { columns, encode } = createRowEncoder(fields);

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

test('what no column could hold is refused, by its name and row', () => {
  expect(() => encode({ id: 'a', the_id: 'b' }, 7)).toThrow('row 7: the_id is not a column to insert');
  // Without a value too: it is a mistake all the same.
  expect(() => encode({ id: 'a', typo: undefined }, 7)).toThrow('row 7: typo is not a column to insert');
  expect(() => encode({ price: 1 }, 7)).toThrow('row 7: id must be given');
  expect(() => encode({ id: null }, 7)).toThrow('row 7: id must be given');
  for (const row of [undefined, null, 'a', 7]) {
    expect(() => encode(row, 7)).toThrow('row 7 must be an object');
  }
});

test('rows are a list without gaps', () => {
  const sparse: unknown[] = [{ id: 'a' }];
  sparse[2] = { id: 'c' };
  expect(() => encodeRows(sparse, encode)).toThrow('row 1 must be an object');
  expect(() => encodeRows(JSON.parse('{"length":1}'), encode)).toThrow('rows must be an array');
  expect(encodeRows([], encode)).toEqual([]);
});

test('a value that is undefined or null is as good as none', () => {
  const alone = encode({ id: 'a' }, 0);
  expect(encode({ id: 'a', price: undefined, data: null }, 0)).toEqual(alone);
  expect(toArrays(columns, [alone])).toMatchObject({ the_id: '{"a"}', price: '{null}', data: '{null}' });
});

test('a row that has nothing but the core is held as short as that', () => {
  const { columns: ordered, encode: encodeShort } = createRowEncoder(
    { data: table.data, price: table.price, id: table.id },
    { core: ['id', 'price'] },
  );
  expect(ordered.map(({ key, at }) => [key, at])).toEqual([
    ['id', 0],
    ['price', 1],
    ['data', 2],
  ]);
  expect(encodeShort({ price: 1, id: 'a' }, 0)).toEqual(['a', '1']);
  expect(encodeShort({ id: 'a' }, 0)).toEqual(['a', null]);
  expect(encodeShort({ id: 'a', data: [] }, 0)).toEqual(['a', null, '[]']);
});

test('any row comes through PostgreSQL as it was', async () => {
  const back = defineQuery<Record<string, string>, typeof fields>({
    name: 'back',
    fields,
    statement: (given, list) => sql`
      select ${list()} from ${unnestArrays(columns, given)} as r (the_id, price, count, atms, venueid, ismaker, data)`,
  });
  const row = fc.record({
    id: fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', '')),
    price: fc.option(fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
    count: fc.option(fc.integer()),
    atMs: fc.option(fc.maxSafeInteger()),
    venueId: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    isMaker: fc.option(fc.boolean()),
    data: fc.dictionary(fc.string(), fc.constantFrom(null, 1, 'x"y\\', '{}', true)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (rows) => {
      const got = await back.list(handle.db, toArrays(columns, encodeRows(rows, encode)));
      // A float4 comes back as the shortest decimal that stands for it.
      expect(
        got.map((one) => ({ ...one, price: one.price === null ? null : Math.fround(one.price) })),
      ).toEqual(rows);
    }),
  );
});

test('the statement casts each array to the type of its column', () => {
  const given = Object.fromEntries(columns.map(({ name }, i) => [name, sql.raw(`$${i + 1}`)]));
  expect(new PgDialect().sqlToQuery(unnestArrays(columns, given)).sql).toBe(
    'unnest($1::text::text[], $2::text::real[], $3::text::integer[], $4::text::bigint[], $5::text::bigint[], ' +
      '$6::text::boolean[], $7::text::jsonb[])',
  );
});
