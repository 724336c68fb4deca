import { bigint, foreignKey, index, integer, jsonb, pgTable, real, text } from 'drizzle-orm/pg-core';
import { sessions } from './sessions.ts';

/** An order that a session placed. Instants are epoch milliseconds; prices and sizes are float4, about 7 digits. */
export const orders = pgTable(
  'orders',
  {
    /** Primary key, chosen by whoever places the order; fills refer to it. Written by trading services. */
    id: text('id').primaryKey(),
    /** The session that placed it: `sessions.id`. Written by trading services. Null: not of a session. */
    sessionId: text('sessionid'),
    /**
     * The order that this one replaces or belongs to. No foreign key: that order may be long gone. Written by trading
     * services. Null: it has none.
     */
    parentOrderId: text('parentorderid'),
    /** The id that we gave it at the venue. Written by trading services. Null: none was given. */
    clientOrderId: text('clientorderid'),
    /** Pair, as the venue spells it: `BTC/USD`. Written by trading services. Null: not recorded: in no pair's numbers. */
    symbol: text('symbol'),
    /**
     * `buy` or `sell`, in whatever case the service spells it; queries ignore case. Written by trading services. Null: not
     * recorded.
     */
    side: text('side'),
    /** `limit`, `market`, … Written by trading services. Null: not recorded. */
    type: text('type'),
    /**
     * Life-cycle state: `open`, `partially_filled`, `filled`, `canceled`, … in whatever case; queries ignore case, `_`, `-`
     * and spaces. Written by trading services. Null: not recorded, which does not count as open.
     */
    status: text('status'),
    /** Ordered size. Unit: base asset. Written by trading services. Null: not recorded. */
    size: real('size'),
    /** Executed size. Unit: base asset. Written by trading services. Null: look at `filled`. */
    filledSize: real('filledsize'),
    /**
     * Executed size, where older services wrote it. Unit: base asset. Written by old services. Null: look at `filledSize`.
     */
    filled: real('filled'),
    /**
     * Size that is still to be filled; an order with none left is not open, whatever its status says. Unit: base asset.
     * Written by trading services. Null: size less the executed size, where these are known.
     */
    remaining: real('remaining'),
    /**
     * Limit price. Unit: quote asset a unit of the base. Written by trading services. Null: it has no limit, or was not
     * recorded.
     */
    price: real('price'),
    /**
     * Market price when the order was placed. Unit: quote asset a unit of the base. Written by trading services. Null: not
     * recorded.
     */
    marketPrice: real('marketprice'),
    /**
     * Fees so far, in the currency that its fills name. Unit: that currency. Written by trading services. Null: not
     * recorded; the fills have them.
     */
    fee: real('fee'),
    /** Value of the order. Unit: USD. Written by trading services. Null: not recorded. */
    usdValue: real('usdvalue'),
    /** When it was placed. Unit: epoch ms. Written by trading services. Null: not recorded: lists have it last. */
    timestamp: bigint('timestamp', { mode: 'number' }),
    /**
     * Last write. `saveOrders` goes by it: a row that is older than what is stored is `stale`. Unit: epoch ms. Written by
     * trading services. Null: no write has said when; what comes next counts as newer.
     */
    lastUpdated: bigint('lastupdated', { mode: 'number' }),
    /** When it was filled. Unit: epoch ms. Written by trading services. Null: it is not filled, or was not recorded. */
    filledAt: bigint('filledat', { mode: 'number' }),
    /** When it was cancelled. Unit: epoch ms. Written by trading services. Null: it is not cancelled, or was not recorded. */
    canceledAt: bigint('canceledat', { mode: 'number' }),
    /**
     * When its latest fill happened. Unit: epoch ms. Written by trading services. Null: it has no fill, or was not recorded.
     */
    lastFillTimestamp: bigint('lastfilltimestamp', { mode: 'number' }),
    /** Venue, as its lower-case code: `kraken`. Written by trading services. Null: not recorded; its session has it. */
    exchange: text('exchange'),
    /** `live`, `paper`, … Written by trading services. Null: not recorded; its session has it. */
    tradingMode: text('tradingmode'),
    /** Position that the order belongs to. Written by trading services. Null: it belongs to none. */
    positionId: text('positionid'),
    /** Why the strategy placed it. Written by trading services. Null: not recorded. */
    purpose: text('purpose'),
    /** Why it was cancelled. Written by trading services. Null: it is not cancelled, or was not recorded. */
    cancelReason: text('cancelreason'),
    /** How many orders were open when it was placed. Unit: count. Written by trading services. Null: not recorded. */
    openOrdersAtCreation: integer('openordersatcreation'),
    /**
     * Anything else; the venue's own id of the order stands here as `exchangeOrderId`. Written by trading services. Null:
     * nothing else.
     */
    data: jsonb('data'),
    /**
     * Position of the order's symbol in its session's `pairs`. Unit: position, from 0. Written by the database; what a
     * service gives stays only where the pairs do not have the symbol. Null: the session does not list the symbol.
     */
    pairIndex: integer('pair_index').default(0),
  },
  (t) => [
    foreignKey({
      name: 'fk_orders_sessionid',
      columns: [t.sessionId],
      foreignColumns: [sessions.id],
    }),
    index('idx_orders_sessionid').on(t.sessionId),
    index('idx_orders_status').on(t.status),
    index('idx_orders_side').on(t.side),
    index('idx_orders_symbol').on(t.symbol),
    index('idx_orders_timestamp').on(t.timestamp),
    index('idx_orders_clientorderid').on(t.clientOrderId),
    index('idx_orders_composite').on(t.sessionId, t.status, t.side),
    index('idx_orders_session_symbol').on(t.sessionId, t.symbol),
    index('idx_orders_symbol_status').on(t.symbol, t.status),
  ],
);

/** An order as it is read. */
export type Order = typeof orders.$inferSelect;
/** An order as it is inserted: only `id` must be given. */
export type NewOrder = typeof orders.$inferInsert;
