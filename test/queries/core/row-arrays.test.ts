import { getTableColumns, sql } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, PgDialect, pgTable, real, text } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineQuery } from '../../../src/queries/core/query.ts';
import { defaultOf, rowsOf, toArrays } from '../../../src/queries/core/row-arrays.ts';
import { createRowEncoder, encodeRows } from '../../../src/queries/core/row-encoder.ts';
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

test('any row comes through PostgreSQL as it was', async () => {
  const back = defineQuery<Record<string, string>, typeof fields>({
    name: 'back',
    fields,
    statement: (given, list) => sql`
      select ${list()} from ${rowsOf(columns, given, 'r')}`,
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
  expect(new PgDialect().sqlToQuery(rowsOf(columns, given, 'r')).sql).toBe(
    'unnest($1::text::text[], $2::text::real[], $3::text::integer[], $4::text::bigint[], $5::text::bigint[], ' +
      '$6::text::boolean[], $7::text::jsonb[]) with ordinality as "r" ' +
      '("the_id", "price", "count", "atms", "venueid", "ismaker", "data", "ordinal")',
  );
});

/** Defaults of each kind: none, values of every type, and what only the server can say. */
const defaults = pgTable('t', {
  id: text('id').primaryKey(),
  note: text('note').default(`it's \\ "so" $1`),
  pairs: jsonb('pairs').default([`'a'`, '\\']),
  count: integer('count').default(7),
  isMaker: boolean('ismaker').default(false),
  atMs: bigint('atms', { mode: 'number' }).default(sql`length(current_database())`),
  price: real('price'),
});
const defaultFields = getTableColumns(defaults);
const encoder = createRowEncoder(defaultFields);
const fromDefaults = { note: `it's \\ "so" $1`, pairs: [`'a'`, '\\'], count: 7, isMaker: false };

test('a row that leaves a column out gets its default, whatever the others give', async () => {
  const back = defineQuery<Record<string, string>, typeof defaultFields>({
    name: 'defaults',
    fields: defaultFields,
    statement: (given, list) =>
      sql`select ${list()} from ${rowsOf(encoder.columns, given, 'r')} order by ordinal`,
  });
  const [database] = await readDatabaseLength();
  const given = { note: 'n', pairs: ['x'], count: 1, isMaker: true, atMs: 5, price: 2 };
  const nothing = { note: null, pairs: null, count: null, isMaker: null, atMs: null, price: null };
  const rows = [{ id: 'a', ...given }, { id: 'b' }, { id: 'c', ...nothing }, { id: 'd', note: undefined }];
  const left = { ...fromDefaults, atMs: database, price: null };
  const expected = [
    { id: 'a', ...given },
    { id: 'b', ...left },
    { id: 'c', ...nothing },
    { id: 'd', ...left },
  ];
  const send = (some: readonly object[]) =>
    back.list(handle.db, toArrays(encoder.columns, encodeRows(some, encoder.encode)));
  expect(await send(rows)).toEqual(expected);
  for (const [i, row] of rows.entries()) expect(await send([row])).toEqual([expected[i]]);
});

test('the default of a column as SQL is the same', async () => {
  const alone = defineQuery<Record<string, string>, typeof defaultFields>({
    name: 'alone',
    fields: defaultFields,
    statement: (_, list) => {
      const values = encoder.columns.map((column) =>
        column.key === 'id' ? sql`'b' as id` : sql`${defaultOf(column)} as ${sql.identifier(column.name)}`,
      );
      return sql`select ${list()} from (select ${sql.join(values, sql`, `)}) as r`;
    },
  });
  const [database] = await readDatabaseLength();
  expect(await alone.list(handle.db, {})).toEqual([
    { id: 'b', ...fromDefaults, atMs: database, price: null },
  ]);
});

async function readDatabaseLength(): Promise<number[]> {
  const length = { length: { expression: sql`length(current_database())`, decode: Number } };
  const query = defineQuery<Record<string, string>, typeof length>({
    name: 'length',
    fields: length,
    statement: (_, list) => sql`select ${list()}`,
  });
  return (await query.list(handle.db, {})).map((row) => row.length);
}
