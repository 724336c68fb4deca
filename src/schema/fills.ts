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
    /** Primary key, chosen by whoever stores the fill. Written by trading services. */
    id: text('id').primaryKey(),
    /** The order that it executed: `orders.id`. Written by trading services. Null: not known, as in older data. */
    orderId: text('orderid'),
    /** The session that it belongs to: `sessions.id`. Written by trading services. Null: not of a session. */
    sessionId: text('sessionid'),
    /** The id that we gave the order at the venue. Written by trading services. Null: none was given. */
    clientOrderId: text('clientorderid'),
    /** Pair, as the venue spells it: `BTC/USD`. Written by trading services. Null: not recorded: in no pair's numbers. */
    symbol: text('symbol'),
    /**
     * Our side, `buy` or `sell`, in whatever case the service spells it; queries ignore case. Written by trading services.
     * Null: not recorded: in volume, but not in profit and loss.
     */
    side: text('side'),
    /** Executed size. Unit: base asset. Written by trading services. Null: look at `amount`. */
    size: real('size'),
    /** Executed size, where older services wrote it. Unit: base asset. Written by old services. Null: look at `size`. */
    amount: real('amount'),
    /**
     * Execution price. Unit: quote asset a unit of the base. Written by trading services. Null: not recorded: then it is
     * never a duplicate.
     */
    price: real('price'),
    /**
     * Fee paid; a rebate is below zero. Unit: the currency that `feeData` names. Written by trading services. Null: look at
     * `feeAmount`, `fees` and `feeData`.
     */
    fee: real('fee'),
    /** Fee paid, where older services wrote it. Unit: as `fee`. Written by old services. Null: look at `fee`. */
    feeAmount: real('feeamount'),
    /** Price times size, as the venue reports it. Unit: quote asset. Written by trading services. Null: not reported. */
    cost: real('cost'),
    /**
     * Fees by currency, as the venue reports them. Unit: each in its currency. Written by trading services. Null: not
     * reported.
     */
    fees: jsonb('fees'),
    /** The venue's id of the order. Written by trading services. Null: not reported. */
    exchangeOrderId: text('exchangeorderid'),
    /**
     * The venue's id of the execution, where it is text: UUID, hex, … Written by trading services (`insertFills` puts it
     * where it fits). Null: look at `tradeId`.
     */
    execId: text('execid'),
    /**
     * The venue's id of the execution, where it is a 64-bit integer: a `bigint`, which may exceed 2^53. A relational query
     * of Drizzle 0.45 refuses it below `with`. Written by trading services (`insertFills` puts it where it fits). Null: look
     * at `execId`.
     */
    tradeId: exactBigint('tradeid'),
    /** `maker` or `taker`, in the venue's letters. Written by trading services. Null: not reported. */
    liquidityInd: text('liquidityind'),
    /**
     * Executed size, where the venue's adapter wrote it. No sum counts it. Unit: base asset. Written by old services. Null:
     * look at `size`.
     */
    quantity: real('quantity'),
    /** When the row was stored. Unit: epoch ms. Written by trading services. Null: not recorded. */
    createdAt: bigint('createdat', { mode: 'number' }),
    /**
     * When it happened, by the venue's clock. Unit: epoch ms. Written by trading services. Null: not recorded: then it is
     * never a duplicate, and in no range of time.
     */
    timestamp: bigint('timestamp', { mode: 'number' }),
    /** Last write. Unit: epoch ms. Written by trading services, and `correctFill`. Null: never written again. */
    lastUpdated: bigint('lastupdated', { mode: 'number' }),
    /** Anything else that the venue sent. Written by trading services. Null: nothing else. */
    data: jsonb('data'),
    /**
     * The fee as the venue sent it; its `currency` names the asset. Written by trading services. Null: not reported: the
     * currency of `fee` is not known.
     */
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
