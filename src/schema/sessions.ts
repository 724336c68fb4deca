import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, pgTable, real, text } from 'drizzle-orm/pg-core';

/** To be settled, and not settled yet: the predicate of `idx_sessions_settlement_discovery`. */
export const isUnsettled = sql`settlesession = true and (settledcomplete is null or settledcomplete = false)`;

/**
 * A trading session: one run of a strategy on one exchange, trading one pair (the old services) or many (`pairs`).
 *
 * Every instant is epoch milliseconds. Such a number is exact in JavaScript up to 2^53 - 1, the year 287396.
 * Everything but the primary key may be null: the live data has sessions without a symbol, without a start, without
 * a settlement flag.
 *
 * The trigger `trg_sessions_sync_pairs` (migration 0001) owns `pairCount` and fills an empty `pairs` from `symbol`.
 */
export const sessions = pgTable(
  'sessions',
  {
    /** Primary key. Orders and fills refer to it. */
    id: text('id').primaryKey(),
    /** The service's own name for the session. Not a key: `id` is. */
    sessionId: text('sessionid'),
    /** The one pair of a single-pair session, spelled as the venue spells it (`BTC/USD`, `XBTUSDT`, `KRW-LAMB`). */
    symbol: text('symbol'),
    /** The same, where older services wrote it instead of `symbol`. */
    tradingPair: text('tradingpair'),
    /** Venue the session trades on, as its lower-case code. */
    exchange: text('exchange'),
    /** Venue's display name. */
    exchangeName: text('exchangename'),
    /** Name of the strategy that runs. */
    strategy: text('strategy'),
    /** Family that the strategy belongs to. */
    strategyType: text('strategytype'),
    /** `live`, `paper`, … */
    tradingMode: text('tradingmode'),
    /** Life-cycle state: `running`, `completed`, … */
    status: text('status'),
    /** True if no order reached a venue. */
    simulationMode: boolean('simulationmode'),
    /** Base asset of `symbol`. */
    baseToken: text('basetoken'),
    /** Quote asset of `symbol`. */
    quoteToken: text('quotetoken'),
    /** Money the session may use, in the quote asset. float4: about 7 digits. */
    budget: real('budget'),
    /** Start as first recorded, epoch ms. */
    startTimestamp: bigint('starttimestamp', { mode: 'number' }),
    /** When the row was added, epoch ms. */
    addedAt: bigint('addedat', { mode: 'number' }),
    /** Start as the strategy saw it, epoch ms. */
    startTime: bigint('starttime', { mode: 'number' }),
    /** Start that settlement and every list go by, epoch ms. Null for sessions that never started. */
    startedAt: bigint('startedat', { mode: 'number' }),
    /** When the strategy finished, epoch ms. */
    completedAt: bigint('completedat', { mode: 'number' }),
    /** When the session ended for whatever reason, epoch ms. */
    endedAt: bigint('endedat', { mode: 'number' }),
    /** End as text, in the format of the service that wrote it. */
    endTime: text('endtime'),
    /** Last write by a service, epoch ms. */
    lastUpdated: bigint('lastupdated', { mode: 'number' }),
    /** When an older tool last moved the row, epoch ms. */
    lastMigratedAt: bigint('lastmigratedat', { mode: 'number' }),
    /** How long it ran, ms. */
    duration: bigint('duration', { mode: 'number' }),
    /** How long it was planned to run, ms. */
    sessionLength: bigint('sessionlength', { mode: 'number' }),
    /** Cycles the strategy completed. */
    cycleCount: integer('cyclecount'),
    /** Version of the trading service. */
    version: text('version'),
    /** Why the session ended. */
    endReason: text('endreason'),
    /** True if the session's positions are to be settled. */
    settleSession: boolean('settlesession'),
    /** True once settled; null and false both mean "not settled". */
    settledComplete: boolean('settledcomplete'),
    /** Last attempt to settle, epoch ms; null if never tried. */
    lastSettleAttempt: bigint('lastsettleattempt', { mode: 'number' }),
    /** True if cleanup began before the planned end. */
    earlyCleanupTriggered: boolean('earlycleanuptriggered'),
    /** When that was, epoch ms. */
    earlyCleanupTimestamp: bigint('earlycleanuptimestamp', { mode: 'number' }),
    /** Name of the pricing strategy. */
    pricingStrategyName: text('pricingstrategyname'),
    /** True if the session trades even where the strategy would hold back. */
    forceTradingEnabled: boolean('forcetradingenabled'),
    /** Balances by asset at the start. */
    initialBalances: jsonb('initialbalances'),
    /** Balances by asset at the end. */
    finalBalances: jsonb('finalbalances'),
    /** Positions at the start. */
    initialPositions: jsonb('initialpositions'),
    /** Positions at the end. */
    finalPositions: jsonb('finalpositions'),
    /** Parameters of the pricing strategy. */
    pricingStrategyConfig: jsonb('pricingstrategyconfig'),
    /** What cleanup did. */
    cleanupResults: jsonb('cleanupresults'),
    /** Settings of the run. */
    settings: jsonb('settings'),
    /** Metrics of the run. */
    metrics: jsonb('metrics'),
    /** Command line of the trading service. */
    commandLineArgs: jsonb('commandlineargs'),
    /** Environment of the trading service. */
    environment: jsonb('environment'),
    /** Anything else the service kept. */
    data: jsonb('data'),
    /** Pairs the session trades, in the order that `orders.pairIndex` counts. An array of strings, else refused. */
    pairs: jsonb('pairs').$type<string[]>().default([]),
    /** Length of `pairs`. The database keeps it; what a service writes here is overruled. */
    pairCount: integer('pair_count').default(0),
  },
  (t) => [
    index('idx_sessions_symbol').on(t.symbol),
    index('idx_sessions_status').on(t.status),
    index('idx_sessions_startedat').on(t.startedAt),
    index('idx_sessions_starttimestamp').on(t.startTimestamp),
    index('idx_sessions_completedat').on(t.completedAt),
    index('idx_sessions_exchange').on(t.exchange),
    index('idx_sessions_settlement').on(t.settledComplete, t.lastSettleAttempt),
    index('idx_sessions_tradingmode').on(t.tradingMode),
    index('idx_sessions_pair_count').on(t.pairCount),
    // No predicate: PostgreSQL can't prove `pairs != '[]'` from `pairs @> …` and would never use the index.
    index('idx_sessions_pairs_gin').using('gin', t.pairs),
    // The flags are the predicate, not the key: the list comes out of one ordered index scan, with no sort.
    index('idx_sessions_settlement_discovery').on(t.startedAt, t.id).where(isUnsettled),
    // `strict` keeps jsonpath from unwrapping a nested array; `silent` (the last argument) leaves the verdict on a
    // scalar to the first condition instead of raising a jsonpath error that would not name the rule.
    check(
      'sessions_pairs_is_array_of_strings',
      sql`jsonb_typeof(pairs) = 'array' and not jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true)`,
    ),
  ],
);

/** A session as it is read. */
export type Session = typeof sessions.$inferSelect;
/** A session as it is inserted: only `id` must be given. */
export type NewSession = typeof sessions.$inferInsert;
