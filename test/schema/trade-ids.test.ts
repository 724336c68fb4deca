import { getTableColumns, is } from 'drizzle-orm';
import { PgBigInt64 } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import { expect, test } from 'vitest';
import { createPglite } from '../support/pglite.ts';
import { schema, tradeIdsSuite } from './suites/trade-ids.ts';

tradeIdsSuite('PGlite', async () => {
  const client = await createPglite('migrated');
  return { db: drizzle(client, { schema }), [Symbol.asyncDispose]: () => client.close() };
});

test('the column is a bigint to all that looks at it', () => {
  const { tradeId } = getTableColumns(schema.fills);
  expect(is(tradeId, PgBigInt64)).toBe(true);
  expect([tradeId.getSQLType(), tradeId.dataType, tradeId.columnType]).toEqual([
    'bigint',
    'bigint',
    'PgBigInt64',
  ]);
  expect(tradeId.mapFromDriverValue('9223372036854775807')).toBe(9_223_372_036_854_775_807n);
});
