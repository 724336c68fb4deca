/**
 * Typed queries on the multi-pair schema. Each takes a Drizzle PostgreSQL handle (or a transaction) first and one options
 * object second; times are epoch milliseconds.
 */
export { defaultLimit, maxLimit } from './arguments.ts';
export type { Database, Transaction } from './database.ts';
export { type DuplicateFills, listDuplicateFills } from './duplicate-fills.ts';
export {
  DatabaseError,
  InvalidArgumentError,
  NotFoundError,
  QueryError,
  type QueryErrorCode,
} from './errors.ts';
export type { FillInput } from './fill-input.ts';
export {
  type FillKey,
  type FillPage,
  findLatestFill,
  listFills,
  listFillsInRange,
  type RangeFillFilter,
  type SessionFillFilter,
} from './fills.ts';
export { type FindOrderOptions, findOrder } from './find-order.ts';
export { type FillInsertion, type FillInsertionWithAlike, insertFills } from './insert-fills.ts';
export { insertOrders, maxInsertedOrders } from './insert-orders.ts';
export { insertSession } from './insert-session.ts';
export type { SessionKey } from './keyset.ts';
export {
  hasOpenSells,
  listOpenOrders,
  listOrders,
  type OrderKey,
  openOrderStatuses,
} from './orders.ts';
export {
  listMultiPairSessions,
  listSessionsByPair,
  listSessionsByPairs,
  maxPairs,
  type SessionListOptions,
  setSessionPairs,
} from './pairs.ts';
export {
  type FeeTotal,
  listPairPerformance,
  type PairPerformance,
  type PerformanceFilter,
} from './performance.ts';
export type { SessionSummary } from './sessions.ts';
export { listSessionsToSettle, type SettlementOptions } from './settlement.ts';
export { claimSessionsToSettle, defaultRetryAfterMs, recordSettlement } from './settlement-claims.ts';
export { type FillFilter, streamFills } from './stream-fills.ts';
export { listPairVolume, type PairVolume } from './volume.ts';
