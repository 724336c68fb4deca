import { bigint, foreignKey, index, integer, jsonb, pgTable, real, text } from 'drizzle-orm/pg-core';
import { sessions } from './sessions.ts';

/** An order that a session placed. Instants are epoch milliseconds; prices and sizes are float4, about 7 digits. */
export const orders = pgTable(
  'orders',
  {
    /** Primary key. Fills refer to it. */
    id: text('id').primaryKey(),
    /** The session that placed it: `sessions.id`. */
    sessionId: text('sessionid'),
    /** The order that this one replaces or belongs to. No foreign key: it may be long gone. */
    parentOrderId: text('parentorderid'),
    /** The id that we gave it at the venue. */
    clientOrderId: text('clientorderid'),
    /** Pair, as the venue spells it. */
    symbol: text('symbol'),
    /** `buy` or `sell`. */
    side: text('side'),
    /** `limit`, `market`, … */
    type: text('type'),
    /** Life-cycle state: `open`, `partially_filled`, `filled`, `canceled`, … */
    status: text('status'),
    /** Ordered size, in the base asset. */
    size: real('size'),
    /** Executed size, in the base asset. */
    filledSize: real('filledsize'),
    /** Executed size, where older services wrote it. */
    filled: real('filled'),
    /** Size still open, in the base asset. */
    remaining: real('remaining'),
    /** Limit price, in the quote asset. */
    price: real('price'),
    /** Market price when the order was placed, in the quote asset. */
    marketPrice: real('marketprice'),
    /** Fees so far; see the fills for their currency. */
    fee: real('fee'),
    /** Value of the order, in USD. */
    usdValue: real('usdvalue'),
    /** When it was placed, epoch ms. */
    timestamp: bigint('timestamp', { mode: 'number' }),
    /** Last write by a service, epoch ms. */
    lastUpdated: bigint('lastupdated', { mode: 'number' }),
    /** When it was filled, epoch ms. */
    filledAt: bigint('filledat', { mode: 'number' }),
    /** When it was cancelled, epoch ms. */
    canceledAt: bigint('canceledat', { mode: 'number' }),
    /** When its latest fill happened, epoch ms. */
    lastFillTimestamp: bigint('lastfilltimestamp', { mode: 'number' }),
    /** Venue, as its lower-case code. */
    exchange: text('exchange'),
    /** `live`, `paper`, … */
    tradingMode: text('tradingmode'),
    /** Position that the order belongs to. */
    positionId: text('positionid'),
    /** Why the strategy placed it. */
    purpose: text('purpose'),
    /** Why it was cancelled. */
    cancelReason: text('cancelreason'),
    /** How many orders were open when it was placed. */
    openOrdersAtCreation: integer('openordersatcreation'),
    /** Anything else; the venue's own order id stands here as `exchangeOrderId`. */
    data: jsonb('data'),
    /** Position of the order's symbol in its session's `pairs`, from 0. */
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
