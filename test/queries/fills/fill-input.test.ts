import { getTableColumns, sql } from 'drizzle-orm';
import { boolean, integer, pgTable } from 'drizzle-orm/pg-core';
import { expect, test, vi } from 'vitest';
import { createFillEncoder, encodeFill, fillColumns } from '../../../src/queries/fills/fill-input.ts';
import { fills } from '../../../src/schema/index.ts';
import { openPglite } from '../../support/handles.ts';
import { selectAll } from '../suites/variants.ts';

/** Columns that `fills` may get one day, of types that none of its columns has today. */
const extra = pgTable('fills', {
  retries: integer('retries'),
  isMaker: boolean('is_maker').default(true),
});
const widened = { ...getTableColumns(fills), ...getTableColumns(extra) };

const encodedOf = (row: unknown, key: (typeof fillColumns)[number]['key']) =>
  encodeFill(row, 0)[fillColumns.findIndex((column) => column.key === key)] ?? null;

test('an encoded fill is as short as the columns that nearly every fill has, unless it has others', () => {
  const plain = { id: 'a', sessionId: 's', orderId: 'o', symbol: 'X', side: 'buy', price: 1, size: '2' };
  expect(encodeFill({ ...plain, timestamp: 5, tradeId: 7 }, 0)).toEqual([
    'a',
    's',
    'o',
    'X',
    'buy',
    '1',
    '2',
    5,
    '7',
  ]);
  expect(encodeFill({ ...plain, fee: 1 }, 0).length).toBeGreaterThan(9);
});

test('the venue’s id goes to one of two places', () => {
  for (const [tradeId, stored] of [
    [7, '7'],
    [7n, '7'],
    ['-7', '-7'],
    ['9223372036854775807', '9223372036854775807'],
  ]) {
    expect(encodedOf({ id: 'a', tradeId }, 'tradeId')).toBe(stored);
    expect(encodedOf({ id: 'a', tradeId }, 'execId')).toBeNull();
  }
  for (const tradeId of ['007', '+7', '-0', '7.0', 'c0ffee', '9223372036854775808']) {
    expect(encodedOf({ id: 'a', tradeId }, 'tradeId')).toBeNull();
    expect(encodedOf({ id: 'a', tradeId }, 'execId')).toBe(tradeId);
  }
  expect(encodedOf({ id: 'a', tradeId: 7, execId: '7' }, 'execId')).toBeNull();
  expect(() => encodeFill({ id: 'a', tradeId: 7, execId: '8' }, 2)).toThrow(
    'row 2: execId is not the tradeId',
  );
});

test('a fill has an id that is not empty', () => {
  expect(() => encodeFill({}, 2)).toThrow('row 2: id must be given');
  expect(() => encodeFill({ id: '' }, 2)).toThrow('row 2: id must not be empty');
});

test('a column that is added to the table is checked and written by its type', () => {
  const { columns, encode } = createFillEncoder(widened);
  const encoded = encode({ id: 'a', retries: 3, isMaker: false }, 0);
  expect(
    columns.flatMap(({ key, type, at }) => (at > 0 && encoded[at] != null ? [[key, type, encoded[at]]] : [])),
  ).toEqual([
    ['retries', 'integer', 3],
    ['isMaker', 'boolean', false],
  ]);
  expect(() => encode({ id: 'a', retries: 2 ** 31 }, 0)).toThrow('row 0: retries must be an integer');
  expect(() => encode({ id: 'a', isMaker: 'no' }, 0)).toThrow('row 0: isMaker must be true or false');
});

test('insertFills stores such a column, and compares it, with no change anywhere else', async () => {
  vi.resetModules();
  vi.doMock('drizzle-orm', async (importOriginal) => {
    const original = await importOriginal<typeof import('drizzle-orm')>();
    const getColumns = (table: Parameters<typeof original.getTableColumns>[0]) =>
      original.getTableName(table) === 'fills' ? widened : original.getTableColumns(table);
    return { ...original, getTableColumns: getColumns };
  });
  try {
    const { insertFills } = await import('../../../src/queries/index.ts');
    await using handle = await openPglite();
    await handle.db.execute(
      sql`alter table fills add column retries integer, add column is_maker boolean default true`,
    );
    const insert = async (...rows: object[]) =>
      (await insertFills(handle.db, rows as { id: string }[])).map(({ outcome }) => outcome);

    expect(await insert({ id: 'a', retries: 3, isMaker: false }, { id: 'b' })).toEqual([
      'inserted',
      'inserted',
    ]);
    expect(await insert({ id: 'a', retries: 3, isMaker: false })).toEqual(['duplicate']);
    expect(await insert({ id: 'a', retries: 4, isMaker: false })).toEqual(['conflict']);
    // What is left out is the default, whatever the others of the batch give, and also when it comes again.
    const left = { symbol: 'X', price: 1, size: 1, timestamp: 1, id: 'd' };
    for (const outcome of ['inserted', 'duplicate']) {
      expect(await insert(left, { id: 'e', isMaker: null }, { id: 'e', isMaker: null })).toEqual([
        outcome,
        outcome,
        'duplicate',
      ]);
    }
    for (const isMaker of [true, undefined]) {
      expect(
        await insert({ ...left, isMaker }, { id: 'b' }, { id: 'a', retries: 3, isMaker: false }),
      ).toEqual(['duplicate', 'duplicate', 'duplicate']);
    }
    expect(await insert({ ...left, isMaker: null }, left)).toEqual(['conflict', 'duplicate']);
    await expect(insert({ id: 'c', retries: 0.5 })).rejects.toThrow('row 0: retries must be an integer');
    expect(await selectAll(handle.db, 'select id, retries, is_maker from fills order by id')).toEqual([
      { id: 'a', retries: 3, is_maker: false },
      { id: 'b', retries: null, is_maker: true },
      { id: 'd', retries: null, is_maker: true },
      { id: 'e', retries: null, is_maker: null },
    ]);
  } finally {
    vi.doUnmock('drizzle-orm');
    vi.resetModules();
  }
});
