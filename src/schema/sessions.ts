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
    /** Primary key, chosen by whoever inserts the session; orders and fills refer to it. Written by trading services. */
    id: text('id').primaryKey(),
    /**
     * The service's own name for the session. Not a key: `id` is. Written by trading services. Null: the service has no name
     * but `id`.
     */
    sessionId: text('sessionid'),
    /**
     * The one pair of a single-pair session, as the venue spells it (`BTC/USD`, `XBTUSDT`, `KRW-LAMB`). Of many pairs,
     * `pairs` says them. Written by old services; new ones may leave it out. Null: `tradingPair` or `pairs` says it, or
     * nobody.
     */
    symbol: text('symbol'),
    /**
     * The same as `symbol`, where older services wrote it instead. Written by old services. Null: look at `symbol`, then at
     * `pairs`.
     */
    tradingPair: text('tradingpair'),
    /**
     * Venue that the session trades on, as its lower-case code: `kraken`. Written by trading services. Null: not recorded.
     */
    exchange: text('exchange'),
    /** The venue's name for people: `Kraken`. Written by trading services. Null: not recorded. */
    exchangeName: text('exchangename'),
    /** Name of the strategy that runs. Written by trading services. Null: not recorded. */
    strategy: text('strategy'),
    /** Family that the strategy belongs to. Written by trading services. Null: not recorded. */
    strategyType: text('strategytype'),
    /** `live`, `paper`, … Written by trading services. Null: not recorded. */
    tradingMode: text('tradingmode'),
    /**
     * Life-cycle state: `running`, `completed`, … in whatever case the service spells it; the lists ignore case, `_`, `-`
     * and spaces. Written by trading services, and whoever calls `setSessionStatus`. Null: not recorded.
     */
    status: text('status'),
    /** True if no order reached a venue. Written by trading services. Null: not recorded, which is no proof that it was real. */
    simulationMode: boolean('simulationmode'),
    /** Base asset of `symbol`: `BTC`. Written by old services. Null: not recorded, or many pairs. */
    baseToken: text('basetoken'),
    /** Quote asset of `symbol`: `USD`. Written by old services. Null: not recorded, or many pairs. */
    quoteToken: text('quotetoken'),
    /**
     * Money that the session may use. About 7 digits are kept (float4). Unit: quote asset. Written by trading services.
     * Null: no limit was recorded.
     */
    budget: real('budget'),
    /**
     * Start as first recorded. Settlement and the lists go by `startedAt`. Unit: epoch ms. Written by trading services.
     * Null: not recorded.
     */
    startTimestamp: bigint('starttimestamp', { mode: 'number' }),
    /** When the row was added. Unit: epoch ms. Written by trading services. Null: not recorded. */
    addedAt: bigint('addedat', { mode: 'number' }),
    /** Start as the strategy saw it. Unit: epoch ms. Written by trading services. Null: not recorded. */
    startTime: bigint('starttime', { mode: 'number' }),
    /**
     * Start that settlement and every list go by. Unit: epoch ms. Written by trading services, when the session starts.
     * Null: it never started, so it is not settled, and lists have it last.
     */
    startedAt: bigint('startedat', { mode: 'number' }),
    /**
     * When the strategy finished. Unit: epoch ms. Written by trading services. Null: it has not finished, or was broken off.
     */
    completedAt: bigint('completedat', { mode: 'number' }),
    /**
     * When the session ended, for whatever reason. Unit: epoch ms. Written by trading services. Null: it runs, or its end
     * was not recorded.
     */
    endedAt: bigint('endedat', { mode: 'number' }),
    /**
     * End as text, in the format of the service that wrote it. `endedAt` is the number. Written by old services. Null: not
     * recorded as text.
     */
    endTime: text('endtime'),
    /**
     * Last write. `saveSessions` goes by it: a row that is older than what is stored is `stale`. Unit: epoch ms. Written by
     * trading services and settlement. Null: no write has said when; what comes next counts as newer.
     */
    lastUpdated: bigint('lastupdated', { mode: 'number' }),
    /**
     * When an older tool last moved the row. Unit: epoch ms. Written by a tool of the past; nobody now. Null: never moved.
     */
    lastMigratedAt: bigint('lastmigratedat', { mode: 'number' }),
    /** How long it ran. Unit: ms. Written by trading services, at the end. Null: it runs, or was not recorded. */
    duration: bigint('duration', { mode: 'number' }),
    /** How long it was planned to run. Unit: ms. Written by trading services. Null: no length was planned. */
    sessionLength: bigint('sessionlength', { mode: 'number' }),
    /** Cycles that the strategy completed. Unit: count. Written by trading services. Null: not recorded. */
    cycleCount: integer('cyclecount'),
    /** Version of the trading service. Written by trading services. Null: not recorded. */
    version: text('version'),
    /** Why the session ended. Written by trading services, at the end. Null: it runs, or was not recorded. */
    endReason: text('endreason'),
    /**
     * True if the session's positions are to be settled. Written by trading services. Null: as false: nobody asked for it.
     */
    settleSession: boolean('settlesession'),
    /**
     * True once it is settled. Only `reopenSettlement` takes that back. Written by settlement. Null: as false: not settled.
     */
    settledComplete: boolean('settledcomplete'),
    /**
     * Last attempt to settle, and the stamp of the claim that a worker holds. Unit: epoch ms, by the server's clock. Written
     * by settlement. Null: never tried.
     */
    lastSettleAttempt: bigint('lastsettleattempt', { mode: 'number' }),
    /** True if cleanup began before the planned end. Written by trading services. Null: as false, or not recorded. */
    earlyCleanupTriggered: boolean('earlycleanuptriggered'),
    /** When cleanup began before the planned end. Unit: epoch ms. Written by trading services. Null: it did not. */
    earlyCleanupTimestamp: bigint('earlycleanuptimestamp', { mode: 'number' }),
    /** Name of the pricing strategy. Written by trading services. Null: not recorded. */
    pricingStrategyName: text('pricingstrategyname'),
    /**
     * True if the session trades even where the strategy would hold back. Written by trading services. Null: as false, or
     * not recorded.
     */
    forceTradingEnabled: boolean('forcetradingenabled'),
    /**
     * Balances at the start, by asset. Unit: each in its asset. Written by trading services, at the start. Null: not
     * recorded.
     */
    initialBalances: jsonb('initialbalances'),
    /**
     * Balances at the end, by asset. Unit: each in its asset. Written by trading services, at the end. Null: it runs, or was
     * not recorded.
     */
    finalBalances: jsonb('finalbalances'),
    /** Positions at the start. Written by trading services, at the start. Null: not recorded. */
    initialPositions: jsonb('initialpositions'),
    /** Positions at the end. Written by trading services, at the end. Null: it runs, or was not recorded. */
    finalPositions: jsonb('finalpositions'),
    /** Parameters of the pricing strategy. Written by trading services. Null: not recorded. */
    pricingStrategyConfig: jsonb('pricingstrategyconfig'),
    /** What cleanup did. Written by trading services, at the end. Null: no cleanup was recorded. */
    cleanupResults: jsonb('cleanupresults'),
    /** Settings of the run. Written by trading services. Null: not recorded. */
    settings: jsonb('settings'),
    /** Metrics of the run. Written by trading services. Null: not recorded. */
    metrics: jsonb('metrics'),
    /** Command line of the trading service. Written by trading services. Null: not recorded. */
    commandLineArgs: jsonb('commandlineargs'),
    /** Environment of the trading service. Written by trading services. Null: not recorded. */
    environment: jsonb('environment'),
    /** Anything else that the service kept. Written by trading services. Null: nothing else. */
    data: jsonb('data'),
    /**
     * Pairs that the session trades, in the order that `orders.pairIndex` counts. An array of strings; any other JSON is
     * refused. Written by new services, and the database where a service says none (from `symbol`, else `tradingPair`).
     * Null: only before the migration's backfill has reached the row.
     */
    pairs: jsonb('pairs').$type<string[]>().default([]),
    /**
     * Length of `pairs`; what a service writes here is overruled. Unit: count. Written by the database. Null: only before
     * the migration's backfill has reached the row.
     */
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
