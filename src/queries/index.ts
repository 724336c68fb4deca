/**
 * Typed queries on the multi-pair schema. Each takes a Drizzle PostgreSQL handle (or a transaction) first and one options
 * object second; times are epoch milliseconds.
 */
export { defaultLimit, maxLimit } from './core/arguments.ts';
export type { CallOptions } from './core/call.ts';
export { type Database, type Transaction, withoutPreparedStatements } from './core/database.ts';
export {
  ClaimLostError,
  DatabaseError,
  InvalidArgumentError,
  NotFoundError,
  QueryError,
  type QueryErrorCode,
  SchemaMismatchError,
} from './core/errors.ts';
export type { SessionKey } from './core/keyset.ts';
export { PartialSaveError, type SavedRow } from './core/saved-rows.ts';
export { type RetryOptions, withRetry } from './core/with-retry.ts';
export { assertSchema } from './database/assert-schema.ts';
export { correctFill, type FillCorrection } from './fills/correct-fill.ts';
export { type DuplicateFills, listDuplicateFills } from './fills/duplicate-fills.ts';
export type { FillInput } from './fills/fill-input.ts';
export {
  type FillKey,
  type FillPage,
  listFills,
  type OrderFillFilter,
  type SessionFillFilter,
} from './fills/fills.ts';
export { listFillsInRange, type RangeFillFilter } from './fills/fills-in-range.ts';
export { findFill } from './fills/find-fill.ts';
export { type FillInsertion, type FillInsertionWithAlike, insertFills } from './fills/insert-fills.ts';
export { findLatestFill } from './fills/latest-fill.ts';
export { type FillFilter, streamFills } from './fills/stream-fills.ts';
export { type FindOrderOptions, findOrder } from './orders/find-order.ts';
export { insertOrders, maxInsertedOrders, type OrderInput } from './orders/insert-orders.ts';
export { listOrders } from './orders/list-orders.ts';
export { hasOpenSells, listOpenSells } from './orders/open-sells.ts';
export {
  listOrderStats,
  type OrderStats,
  type OrderStatsFilter,
  type OrderStatsKey,
} from './orders/order-stats.ts';
export { openOrderStatuses, type Side } from './orders/order-status.ts';
export { listOpenOrders, type OrderKey } from './orders/orders.ts';
export { saveOrders } from './orders/save-orders.ts';
export { type Equity, listEquity } from './performance/equity.ts';
export type { PnlScope } from './performance/pair-fills.ts';
export type { FeeTotal, PairPerformance, PerformanceFilter } from './performance/pair-performance.ts';
export { listPairPnl, type PairPnl } from './performance/pair-pnl.ts';
export { listPairPerformance } from './performance/performance.ts';
export type { PnlMethod } from './performance/position.ts';
export type { FeeRates } from './performance/rates.ts';
export { listPairVolume, type PairVolume } from './performance/volume.ts';
export { findSession } from './sessions/find-session.ts';
export { insertSession, type SessionInput } from './sessions/insert-session.ts';
export { listSessions } from './sessions/list-sessions.ts';
export {
  listMultiPairSessions,
  listSessionsByPair,
  listSessionsByPairs,
  maxPairs,
  type SessionListOptions,
} from './sessions/pairs.ts';
export { recordSettlement, reopenSettlement, type SettlementState } from './sessions/record-settlement.ts';
export { saveSessions } from './sessions/save-sessions.ts';
export type { SessionSummary } from './sessions/session-summary.ts';
export { setSessionPairs } from './sessions/set-session-pairs.ts';
export { setSessionStatus } from './sessions/set-session-status.ts';
export type { SettlementHandler } from './sessions/settle-after-claim.ts';
export type { TransactionSettlementHandler } from './sessions/settle-in-transaction.ts';
export type { SettleSessionsOptions } from './sessions/settle-options.ts';
export { settleSessions } from './sessions/settle-sessions.ts';
export {
  listSessionsToSettle,
  type SettlementFilter,
  type SettlementKey,
  type SettlementOptions,
  type SettlementOrder,
} from './sessions/settlement.ts';
export { claimSessionsToSettle, defaultRetryAfterMs } from './sessions/settlement-claims.ts';
export type { SettlementCounts } from './sessions/settlement-loop.ts';
