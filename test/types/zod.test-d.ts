import { expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type * as queries from '../../src/queries/index.ts';
import type { FillInput, OrderInput, SessionInput } from '../../src/queries/index.ts';
import type * as schemas from '../../src/zod/index.ts';
import type {
  insertFillSchema,
  insertOrderSchema,
  insertSessionSchema,
  settleSessionsOptionsSchema,
} from '../../src/zod/index.ts';

test('what a schema gives is what the insert functions take', () => {
  expectTypeOf<z.output<typeof insertSessionSchema>>().toExtend<SessionInput>();
  expectTypeOf<z.output<typeof insertOrderSchema>>().toExtend<OrderInput>();
  expectTypeOf<z.output<typeof insertFillSchema>>().toExtend<FillInput>();
  expectTypeOf<z.output<typeof insertSessionSchema>['pairs']>().toEqualTypeOf<string[] | null | undefined>();
  expectTypeOf<z.output<typeof insertFillSchema>['tradeId']>().toEqualTypeOf<
    bigint | number | string | null | undefined
  >();
  expectTypeOf<z.output<typeof insertOrderSchema>['price']>().toEqualTypeOf<
    number | string | null | undefined
  >();
  expectTypeOf<z.output<typeof insertSessionSchema>['budget']>().toEqualTypeOf<
    number | string | null | undefined
  >();
  expectTypeOf<z.output<typeof insertSessionSchema>['id']>().toEqualTypeOf<string>();
  expectTypeOf<z.output<typeof insertOrderSchema>['timestamp']>().toEqualTypeOf<number | null | undefined>();
  // @ts-expect-error the database counts the pairs itself
  type Missing = z.output<typeof insertSessionSchema>['pairCount'];
  expectTypeOf<Missing>().toBeAny();
});

type Options<Name extends keyof typeof queries> = (typeof queries)[Name] extends (...args: infer A) => unknown
  ? A[1]
  : never;
type Output<Name extends string> = `${Name}OptionsSchema` extends infer Key extends keyof typeof schemas
  ? z.output<(typeof schemas)[Key]>
  : never;

test('what a schema of options gives is what its function takes', () => {
  expectTypeOf<Output<'listSessionsToSettle'>>().toExtend<Options<'listSessionsToSettle'>>();
  expectTypeOf<Output<'claimSessionsToSettle'>>().toExtend<Options<'claimSessionsToSettle'>>();
  expectTypeOf<Output<'withRetry'>>().toExtend<NonNullable<Options<'withRetry'>>>();
  expectTypeOf<z.output<typeof settleSessionsOptionsSchema>>().toExtend<
    queries.SettleSessionsOptions & { readonly transaction?: boolean | undefined }
  >();
  expectTypeOf<Output<'reopenSettlement'>>().toExtend<Options<'reopenSettlement'>>();
  expectTypeOf<Output<'findSession'>>().toExtend<Options<'findSession'>>();
  expectTypeOf<Output<'listSessions'>>().toExtend<Options<'listSessions'>>();
  expectTypeOf<Output<'setSessionStatus'>>().toExtend<Options<'setSessionStatus'>>();
  expectTypeOf<Output<'recordSettlement'>>().toExtend<Options<'recordSettlement'>>();
  expectTypeOf<Output<'listSessionsByPair'>>().toExtend<Options<'listSessionsByPair'>>();
  expectTypeOf<Output<'listSessionsByPairs'>>().toExtend<Options<'listSessionsByPairs'>>();
  expectTypeOf<Output<'listMultiPairSessions'>>().toExtend<Options<'listMultiPairSessions'>>();
  expectTypeOf<Output<'setSessionPairs'>>().toExtend<Options<'setSessionPairs'>>();
  expectTypeOf<Output<'findOrder'>>().toExtend<Options<'findOrder'>>();
  expectTypeOf<Output<'listOrders'>>().toExtend<Options<'listOrders'>>();
  expectTypeOf<Output<'listOpenOrders'>>().toExtend<Options<'listOpenOrders'>>();
  expectTypeOf<Output<'listOpenSells'>>().toExtend<Options<'listOpenSells'>>();
  expectTypeOf<Output<'listOrderStats'>>().toExtend<Options<'listOrderStats'>>();
  expectTypeOf<Output<'findFill'>>().toExtend<Options<'findFill'>>();
  expectTypeOf<Output<'correctFill'>>().toExtend<Options<'correctFill'>>();
  expectTypeOf<Output<'hasOpenSells'>>().toExtend<Options<'hasOpenSells'>>();
  expectTypeOf<Output<'listFills'>>().toExtend<Options<'listFills'>>();
  expectTypeOf<Output<'listFillsInRange'>>().toExtend<Options<'listFillsInRange'>>();
  expectTypeOf<Output<'streamFills'>>().toExtend<Options<'streamFills'>>();
  expectTypeOf<Output<'findLatestFill'>>().toExtend<Options<'findLatestFill'>>();
  expectTypeOf<Output<'listDuplicateFills'>>().toExtend<Options<'listDuplicateFills'>>();
  expectTypeOf<Output<'listPairPerformance'>>().toExtend<Options<'listPairPerformance'>>();
  expectTypeOf<Output<'listPairVolume'>>().toExtend<Options<'listPairVolume'>>();
  expectTypeOf<Output<'listPairPnl'>>().toExtend<Options<'listPairPnl'>>();
  expectTypeOf<Output<'listEquity'>>().toExtend<Options<'listEquity'>>();
  expectTypeOf<Output<'listFills'>['sessionId']>().toEqualTypeOf<string | undefined>();
  // @ts-expect-error an order is found by one of its ids
  const unnamed: Output<'findOrder'> = { sessionId: 's' };
  expectTypeOf(unnamed).not.toBeNever();
});
