import { z } from 'zod';
import { maxLimit } from '../queries/core/arguments.ts';
import { isPlainObject } from '../queries/core/options.ts';
import { defaultRetry, maxAttempts, maxDelayMs, type Retry } from '../queries/core/with-retry.ts';
import { maxStatuses } from '../queries/orders/order-status.ts';
import { decimalTextPattern, maxDecimalLength, rateTextPattern } from '../queries/performance/rates.ts';
import { maxSymbols } from '../queries/performance/volume.ts';
import { maxPairs } from '../queries/sessions/pairs.ts';
import {
  defaultWorkerRetry,
  maxConcurrency,
  maxIdleDelayMs,
  maxRetryAfterMs,
  minIdleDelayMs,
  minRetryAfterMs,
} from '../queries/sessions/settle-options.ts';
import { maxLookbackHours } from '../queries/sessions/settlement.ts';
import { textSchema } from './storable.ts';

const text = textSchema;
const optionalText = textSchema.optional();
const ms = z.int();
/** In any case; it comes out in lower case. */
const side = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['buy', 'sell']))
  .optional();
/** A key of the other way to ask: it may stand there, but only as undefined. */
const absent = z.undefined().optional();
const statuses = z.array(text).min(1).max(maxStatuses).optional();

/** Pairs of a session, in their order. */
export const pairsSchema = z.array(text).max(maxPairs);

/** `limit` of every list. */
export const limitSchema = z.int().min(1).max(maxLimit);

/** `after` of every list of sessions; what else the row of a page holds is dropped. */
export const sessionKeySchema = z.object({ startedAt: ms.nullable(), id: text });

/** `after` of every list of orders and fills. */
export const timeKeySchema = z.object({ timestamp: ms.nullable(), id: text });

const page = { limit: limitSchema.optional() };
const sessionPage = { ...page, exchange: optionalText, after: sessionKeySchema.optional() };
const orderPage = { ...page, symbol: optionalText, side, after: timeKeySchema.optional() };
const range = { fromMs: ms, toMs: ms };
const sessionFills = { sessionId: text, symbol: optionalText, orderId: optionalText };

const isInOrder = ({ fromMs, toMs }: { fromMs: number; toMs: number }): boolean => fromMs <= toMs;
const disorder = { error: 'toMs lies before fromMs', path: ['toMs'] };

const unsettled = { pair: optionalText, exchange: optionalText };
const settlement = { ...page, ...unsettled };
/** A look back, or a first instant, not both. */
const lookback = {
  lookbackHours: z.number().positive().max(maxLookbackHours).optional(),
  startedAfterMs: absent,
};
const firstInstant = { startedAfterMs: ms, lookbackHours: absent };

const newest = {
  order: z.literal('newest').optional(),
  after: z.object({ startedAt: ms, id: text }).optional(),
};
const neverTriedFirst = {
  order: z.literal('never-tried-first'),
  after: z.object({ lastSettleAttempt: ms.nullable(), startedAt: ms, id: text }).optional(),
};
/** The options of `listSessionsToSettle`. */
export const listSessionsToSettleOptionsSchema = z.union([
  z.strictObject({ ...settlement, ...firstInstant, ...newest }),
  z.strictObject({ ...settlement, ...lookback, ...newest }),
  z.strictObject({ ...settlement, ...firstInstant, ...neverTriedFirst }),
  z.strictObject({ ...settlement, ...lookback, ...neverTriedFirst }),
]);

const retry = { retryAfterMs: z.int().min(0).optional() };
/** The options of `claimSessionsToSettle`. */
export const claimSessionsToSettleOptionsSchema = z.union([
  z.strictObject({ ...settlement, ...firstInstant, ...retry }),
  z.strictObject({ ...settlement, ...lookback, ...retry }),
]);

const retryNumbers = z.strictObject({
  attempts: z.int().min(1).max(maxAttempts).optional(),
  baseDelayMs: z.int().min(1).max(maxDelayMs).optional(),
  maxDelayMs: z.int().min(1).max(maxDelayMs).optional(),
});
const retrySchema = (defaults: Retry) =>
  // A map has none of these keys, and zod would take it for an object that leaves all of them out.
  z
    .custom<z.input<typeof retryNumbers>>(isPlainObject, { error: 'must be an object' })
    .pipe(retryNumbers)
    .refine(
      (given) =>
        given.maxDelayMs === undefined || given.maxDelayMs >= (given.baseDelayMs ?? defaults.baseDelayMs),
      { error: 'maxDelayMs lies below baseDelayMs', path: ['maxDelayMs'] },
    );
/** The `signal` of `withRetry` does not come from outside. */
export const withRetryOptionsSchema = retrySchema(defaultRetry);

const worker = {
  ...unsettled,
  concurrency: z.int().min(1).max(maxConcurrency).optional(),
  retryAfterMs: z.int().min(minRetryAfterMs).max(maxRetryAfterMs).optional(),
  retry: retrySchema(defaultWorkerRetry).optional(),
  transaction: z.boolean().optional(),
};
const waiting = {
  whenIdle: z.literal('wait').optional(),
  idleDelayMs: z.int().min(minIdleDelayMs).max(maxIdleDelayMs).optional(),
};
const ending = { whenIdle: z.literal('end'), idleDelayMs: absent };
/** The `signal` and `onError` of `settleSessions` do not come from outside. */
export const settleSessionsOptionsSchema = z.union([
  z.strictObject({ ...worker, ...firstInstant, ...waiting }),
  z.strictObject({ ...worker, ...lookback, ...waiting }),
  z.strictObject({ ...worker, ...firstInstant, ...ending }),
  z.strictObject({ ...worker, ...lookback, ...ending }),
]);

/** The options of `recordSettlement`. */
export const recordSettlementOptionsSchema = z.strictObject({ sessionId: text, complete: z.boolean() });

/** The options of `reopenSettlement`. */
export const reopenSettlementOptionsSchema = z.strictObject({ sessionId: text });

/** The options of `findSession`. */
export const findSessionOptionsSchema = z.strictObject({ id: text });
/** The options of `listSessions`. */
export const listSessionsOptionsSchema = z.strictObject({
  ...sessionPage,
  status: optionalText,
  startedAfterMs: ms.optional(),
});
/** The options of `setSessionStatus`. */
export const setSessionStatusOptionsSchema = z.strictObject({ sessionId: text, status: text });
/** The options of `listSessionsByPair`. */
export const listSessionsByPairOptionsSchema = z.strictObject({ ...sessionPage, pair: text });
/** The options of `listSessionsByPairs`. */
export const listSessionsByPairsOptionsSchema = z.strictObject({
  ...sessionPage,
  pairs: pairsSchema.min(1),
  match: z.enum(['all', 'any']),
});
/** The options of `listMultiPairSessions`. */
export const listMultiPairSessionsOptionsSchema = z.strictObject({
  ...sessionPage,
  minPairs: z.int32().min(0).optional(),
});
/** The options of `setSessionPairs`. */
export const setSessionPairsOptionsSchema = z.strictObject({ sessionId: text, pairs: pairsSchema });

/** One of the three ids; the venue's with its session. */
export const findOrderOptionsSchema = z.union([
  z.strictObject({ id: text, clientOrderId: absent, exchangeOrderId: absent, sessionId: absent }),
  z.strictObject({ clientOrderId: text, id: absent, exchangeOrderId: absent, sessionId: absent }),
  z.strictObject({ exchangeOrderId: text, sessionId: text, id: absent, clientOrderId: absent }),
]);
/** The options of `listOrders`. */
export const listOrdersOptionsSchema = z.strictObject({
  ...orderPage,
  sessionId: optionalText,
  status: optionalText,
});
/** The options of `listOpenOrders`. */
export const listOpenOrdersOptionsSchema = z.strictObject({
  ...orderPage,
  sessionId: optionalText,
  statuses,
});
/** The options of `hasOpenSells`. */
export const hasOpenSellsOptionsSchema = z.strictObject({ sessionId: text, symbol: optionalText, statuses });

/** The options of `listOpenSells`. */
export const listOpenSellsOptionsSchema = z.strictObject({
  ...page,
  sessionId: text,
  symbol: optionalText,
  statuses,
  after: timeKeySchema.optional(),
});
const orderStats = {
  ...page,
  symbol: optionalText,
  after: z.object({ symbol: text.nullable(), side: text.nullable(), status: text.nullable() }).optional(),
};
/** Of a session, or of a range of time. */
export const listOrderStatsOptionsSchema = z.union([
  z.strictObject({ ...orderStats, sessionId: text, fromMs: absent, toMs: absent }),
  z.strictObject({ ...orderStats, ...range, sessionId: absent }).refine(isInOrder, disorder),
]);

/** The options of `findFill`. */
export const findFillOptionsSchema = z.strictObject({ id: text });
/** Of a session, or of an order alone. */
export const listFillsOptionsSchema = z.union([
  z.strictObject({ ...page, ...sessionFills, after: timeKeySchema.optional() }),
  z.strictObject({
    ...page,
    orderId: text,
    symbol: optionalText,
    sessionId: absent,
    after: timeKeySchema.optional(),
  }),
]);
/** The options of `listFillsInRange`. */
export const listFillsInRangeOptionsSchema = z
  .strictObject({
    ...page,
    ...range,
    symbol: text,
    after: z.object({ timestamp: ms, id: text }).optional(),
  })
  .refine(isInOrder, disorder)
  .refine(({ fromMs, after }) => after === undefined || after.timestamp >= fromMs, {
    error: 'after lies before fromMs',
    path: ['after'],
  });
const noRange = { fromMs: absent, toMs: absent };
const pageSize = { pageSize: limitSchema.optional() };
/** Fills of a session, or of a pair in a range of time. The `signal` of `streamFills` does not come from outside. */
export const streamFillsOptionsSchema = z.union([
  z.strictObject({ ...sessionFills, ...noRange, ...pageSize }),
  z
    .strictObject({ ...range, symbol: text, sessionId: absent, orderId: absent, ...pageSize })
    .refine(isInOrder, disorder),
]);
/** The options of `findLatestFill`. */
export const findLatestFillOptionsSchema = z.union([
  z.strictObject(sessionFills),
  z.strictObject({ symbol: text, sessionId: absent, orderId: absent }),
]);
/** The options of `listDuplicateFills`. */
export const listDuplicateFillsOptionsSchema = z.strictObject({
  ...page,
  after: z.object({ firstId: text }).optional(),
});

const afterSymbol = { after: z.object({ symbol: text.nullable() }).optional() };
/** Of a session, or of a range of time. */
export const listPairPerformanceOptionsSchema = z.union([
  z.strictObject({ ...page, ...afterSymbol, ...noRange, sessionId: text }),
  z.strictObject({ ...page, ...afterSymbol, ...range, sessionId: absent }).refine(isInOrder, disorder),
]);
/** That the range has no more than 10,000 buckets is for `listPairVolume` to say. */
export const listPairVolumeOptionsSchema = z
  .strictObject({
    ...page,
    bucket: z.enum(['hour', 'day']),
    fromMs: ms.min(0),
    toMs: ms,
    symbols: z.array(text).min(1).max(maxSymbols).optional(),
    after: z.object({ bucketStartMs: ms, symbol: text }).optional(),
  })
  .refine(isInOrder, disorder);

const ofSession = { sessionId: text, exchange: absent };
const ofExchange = { exchange: text, sessionId: absent };
const ofAll = { sessionId: absent, exchange: absent };
const decimalText = z.string().max(maxDecimalLength).regex(decimalTextPattern);
const rateText = z.string().max(maxDecimalLength).regex(rateTextPattern);
const rates = z.record(text, rateText);
const pnl = {
  ...page,
  method: z.enum(['fifo', 'average']),
  feeRates: z.record(text, z.union([rateText, rates])).optional(),
};
const pairPnl = {
  ...pnl,
  ...afterSymbol,
  marks: z.record(text, decimalText).optional(),
  atMs: ms.optional(),
};
/** The `signal` of `listPairPnl` and `listEquity` does not come from outside. */
export const listPairPnlOptionsSchema = z.union([
  z.strictObject({ ...pairPnl, ...ofSession }),
  z.strictObject({ ...pairPnl, ...ofExchange }),
  z.strictObject({ ...pairPnl, ...ofAll }),
]);
const equity = {
  ...pnl,
  bucket: z.enum(['hour', 'day']),
  fromMs: ms.min(0),
  toMs: ms,
  quoteRates: rates.optional(),
  after: z.object({ bucketStartMs: ms }).optional(),
};
/** That the range has no more than 10,000 buckets is for `listEquity` to say. */
export const listEquityOptionsSchema = z.union([
  z.strictObject({ ...equity, ...ofSession }).refine(isInOrder, disorder),
  z.strictObject({ ...equity, ...ofExchange }).refine(isInOrder, disorder),
  z.strictObject({ ...equity, ...ofAll }).refine(isInOrder, disorder),
]);
