import { type SQL, sql } from 'drizzle-orm';
import { bigint, foreignKey, index, jsonb, pgTable, real, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { exactBigint } from './exact-bigint.ts';
import { fillIdentityKeys } from './fill-identity.ts';
import { orders } from './orders.ts';
import { sessions } from './sessions.ts';

const [firstKey = '', ...otherKeys] = fillIdentityKeys;

/** What makes two rows of `fills` the same execution, as Drizzle's SQL: see `fillIdentityParts`. */
export const fillIdentity: readonly [SQL, ...SQL[]] = [
  sql.raw(firstKey),
  ...otherKeys.map((key) => sql.raw(key)),
];

/** An execution: (part of) an order met the market. Instants are epoch milliseconds; prices and sizes are float4. */
export const fills = pgTable(
  'fills',
  {
    /** Primary key, given by the service that stores the fill. */
    id: text('id').primaryKey(),
    /** The order it executed: `orders.id`. Null in older data. */
    orderId: text('orderid'),
    /** The session it belongs to: `sessions.id`. */
    sessionId: text('sessionid'),
    /** The id that we gave the order at the venue. */
    clientOrderId: text('clientorderid'),
    /** Pair, as the venue spells it. */
    symbol: text('symbol'),
    /** `buy` or `sell`, ours. */
    side: text('side'),
    /** Executed size, in the base asset. */
    size: real('size'),
    /** Executed size, where older services wrote it. */
    amount: real('amount'),
    /** Execution price, in the quote asset. */
    price: real('price'),
    /** Fee paid; a rebate is negative. */
    fee: real('fee'),
    /** Fee paid, where older services wrote it. */
    feeAmount: real('feeamount'),
    /** Price times size as the venue reports it, in the quote asset. */
    cost: real('cost'),
    /** Fees by currency, as the venue reports them. */
    fees: jsonb('fees'),
    /** The venue's id of the order. */
    exchangeOrderId: text('exchangeorderid'),
    /** The venue's id of the execution, where it is text: UUID, hex, … */
    execId: text('execid'),
    /** The venue's id of the execution, where it is a 64-bit integer. A `bigint`: it may exceed 2^53, which a relational query refuses below `with`. */
    tradeId: exactBigint('tradeid'),
    /** `maker` or `taker`, in the venue's letters. */
    liquidityInd: text('liquidityind'),
    /** Executed size, where the venue's adapter wrote it. */
    quantity: real('quantity'),
    /** When the row was stored, epoch ms. */
    createdAt: bigint('createdat', { mode: 'number' }),
    /** When it happened at the venue, epoch ms. */
    timestamp: bigint('timestamp', { mode: 'number' }),
    /** Last write by a service, epoch ms. */
    lastUpdated: bigint('lastupdated', { mode: 'number' }),
    /** Anything else the venue sent. */
    data: jsonb('data'),
    /** The fee as the venue sent it; `currency` names its asset. */
    feeData: jsonb('feedata'),
  },
  (t) => [
    foreignKey({ name: 'fk_fills_orderid', columns: [t.orderId], foreignColumns: [orders.id] }),
    foreignKey({
      name: 'fk_fills_sessionid',
      columns: [t.sessionId],
      foreignColumns: [sessions.id],
    }),
    index('idx_fills_orderid').on(t.orderId),
    index('idx_fills_sessionid').on(t.sessionId),
    index('idx_fills_symbol').on(t.symbol),
    index('idx_fills_timestamp').on(t.timestamp),
    index('idx_fills_composite').on(t.sessionId, t.orderId, t.timestamp),
    index('idx_fills_session_symbol').on(t.sessionId, t.symbol),
    index('idx_fills_session_order_symbol').on(t.sessionId, t.orderId, t.symbol),
    uniqueIndex('idx_fills_unique_dedup').on(...fillIdentity),
    index('idx_fills_symbol_timestamp').on(t.symbol, t.timestamp, t.id),
  ],
);

/** A fill as it is read. */
export type Fill = typeof fills.$inferSelect;
/** A fill as it is inserted: only `id` must be given. */
export type NewFill = typeof fills.$inferInsert;
