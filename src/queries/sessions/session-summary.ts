import { sessions } from '../../schema/sessions.ts';
import type { Row } from '../core/query.ts';

/**
 * A session as the lists give it: every column but the JSON documents (settings, metrics, balances, environment, …),
 * which can be megabytes a page. Read those of one session by its id, with Drizzle and the schema.
 */
export type SessionSummary = Row<typeof sessionFields>;

export const sessionFields = {
  id: sessions.id,
  sessionId: sessions.sessionId,
  symbol: sessions.symbol,
  tradingPair: sessions.tradingPair,
  pairs: sessions.pairs,
  pairCount: sessions.pairCount,
  exchange: sessions.exchange,
  exchangeName: sessions.exchangeName,
  strategy: sessions.strategy,
  strategyType: sessions.strategyType,
  tradingMode: sessions.tradingMode,
  status: sessions.status,
  simulationMode: sessions.simulationMode,
  baseToken: sessions.baseToken,
  quoteToken: sessions.quoteToken,
  budget: sessions.budget,
  startTimestamp: sessions.startTimestamp,
  addedAt: sessions.addedAt,
  startTime: sessions.startTime,
  startedAt: sessions.startedAt,
  completedAt: sessions.completedAt,
  endedAt: sessions.endedAt,
  endTime: sessions.endTime,
  lastUpdated: sessions.lastUpdated,
  lastMigratedAt: sessions.lastMigratedAt,
  duration: sessions.duration,
  sessionLength: sessions.sessionLength,
  cycleCount: sessions.cycleCount,
  version: sessions.version,
  endReason: sessions.endReason,
  settleSession: sessions.settleSession,
  settledComplete: sessions.settledComplete,
  lastSettleAttempt: sessions.lastSettleAttempt,
  earlyCleanupTriggered: sessions.earlyCleanupTriggered,
  earlyCleanupTimestamp: sessions.earlyCleanupTimestamp,
  pricingStrategyName: sessions.pricingStrategyName,
  forceTradingEnabled: sessions.forceTradingEnabled,
};
