import { expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { FillInput } from '../../src/queries/index.ts';
import type { NewOrder, NewSession } from '../../src/schema/index.ts';
import type { insertFillSchema, insertOrderSchema, insertSessionSchema } from '../../src/zod/index.ts';

test('what a schema gives is what the insert functions take', () => {
  expectTypeOf<z.output<typeof insertSessionSchema>>().toExtend<Omit<NewSession, 'pairCount'>>();
  expectTypeOf<z.output<typeof insertOrderSchema>>().toExtend<Omit<NewOrder, 'pairIndex'>>();
  expectTypeOf<z.output<typeof insertFillSchema>>().toExtend<FillInput>();
  expectTypeOf<z.output<typeof insertSessionSchema>['pairs']>().toEqualTypeOf<string[] | null | undefined>();
  expectTypeOf<z.output<typeof insertFillSchema>['tradeId']>().toEqualTypeOf<
    bigint | number | string | null | undefined
  >();
  // @ts-expect-error the database counts the pairs itself
  type Missing = z.output<typeof insertSessionSchema>['pairCount'];
  expectTypeOf<Missing>().toBeAny();
});
