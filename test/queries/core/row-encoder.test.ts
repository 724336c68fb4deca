import { getTableColumns } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, pgTable, real, text } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { toArrays } from '../../../src/queries/core/row-arrays.ts';
import { createRowEncoder, encodeRows } from '../../../src/queries/core/row-encoder.ts';

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

test('a value that is undefined or null is as good as none, where the column has no default', () => {
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
  expect(encodeShort({ id: 'a' }, 0)).toEqual(['a', undefined]);
  expect(encodeShort({ id: 'a', data: [] }, 0)).toEqual(['a', undefined, '[]']);
});

test('null is kept where it is not the same as nothing', () => {
  const kept = createRowEncoder({ id: table.id, price: table.price }, { keepsNull: true });
  expect(kept.encode({ id: 'a', price: null }, 0)).toEqual(['a', null]);
  expect(kept.encode({ id: 'a', price: undefined }, 0)).toEqual(['a', undefined]);
  const withDefault = pgTable('t', { id: text('id').primaryKey(), count: integer('count').default(7) });
  const { encode: encodeThese } = createRowEncoder(getTableColumns(withDefault));
  expect(encodeThese({ id: 'a', count: null }, 0)).toEqual(['a', null]);
  expect(encodeThese({ id: 'a' }, 0)).toEqual(['a', undefined]);
});
