import type { PGlite } from '@electric-sql/pglite';
import { expectTypeOf, test } from 'vitest';
import type { Database, FillInput, OrderInput, SessionInput } from '../../src/queries/index.ts';
import { buildFill, buildOrder, buildSession, createTestDatabase } from '../../src/testing/index.ts';

test('the database of a test is a handle for the queries, and PGlite itself', async () => {
  const database = await createTestDatabase();
  expectTypeOf(database.db).toExtend<Database>();
  expectTypeOf(database.client).toEqualTypeOf<PGlite>();
  // @ts-expect-error no such option
  await createTestDatabase({ folder: 'x' });
});

test('what is built is what the inserts take', () => {
  expectTypeOf(buildSession()).toEqualTypeOf<SessionInput>();
  expectTypeOf(buildOrder({ side: 'sell' })).toEqualTypeOf<OrderInput>();
  expectTypeOf(buildFill()).toEqualTypeOf<FillInput>();
  // @ts-expect-error a column that no fill has
  buildFill({ price: '1', colour: 'red' });
});
