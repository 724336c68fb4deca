import { type SQL, sql } from 'drizzle-orm';
import { checkLimit, checkOptionalText, checkRange, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { joinSql } from '../core/join-sql.ts';
import type { OptionsOf } from '../core/options.ts';
import { type Computed, defineQuery } from '../core/query.ts';
import { statusKey } from '../core/status-key.ts';
import { lowerSide } from './order-status.ts';

/** The key of a row of `listOrderStats`. */
export interface OrderStatsKey {
  readonly symbol: string | null;
  readonly side: string | null;
  readonly status: string | null;
}

/** The orders of one symbol, side and status. All amounts are exact decimals, as strings. */
export interface OrderStats extends OrderStatsKey {
  /** In lower case. */
  readonly side: string | null;
  /** As it is compared: in lower case, without `_`, `-` and spaces (`partiallyfilled`). */
  readonly status: string | null;
  readonly orderCount: number;
  /** Ordered, in the base asset. */
  readonly size: string;
  /** Executed of it (`filledSize`, else `filled`), in the base asset. */
  readonly filledSize: string;
  /** In USD, of those orders that say it. */
  readonly usdValue: string;
  /** The first and the last time of an order, epoch ms; null where none has one. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
}

/** Which orders: of a session, or of all sessions with `fromMs <= timestamp < toMs`; not both. */
export type OrderStatsFilter =
  | { readonly sessionId: string; readonly fromMs?: undefined; readonly toMs?: undefined }
  | { readonly fromMs: number; readonly toMs: number; readonly sessionId?: undefined };

/** The text of a real is the shortest decimal that stands for it; what is infinite or NaN is no amount. */
const sum = (real: SQL): SQL => sql`coalesce(sum(case
        when abs(${real}::text::numeric) < 'Infinity' then ${real}::text::numeric
      end), 0)`;

const text = (name: SQL): Computed<string> => ({
  expression: sql`trim_scale(${name})::text`,
  decode: String,
});
const orNull = <T>(expression: SQL, decode: (value: unknown) => T | null): Computed<T | null> => ({
  expression,
  decode,
});

const fields = {
  symbol: orNull(sql`symbol`, String),
  side: orNull(sql`side`, String),
  status: orNull(sql`status`, String),
  orderCount: { expression: sql`order_count`, decode: Number },
  size: text(sql`size`),
  filledSize: text(sql`filled_size`),
  usdValue: text(sql`usd_value`),
  firstMs: orNull(sql`first_ms`, Number),
  lastMs: orNull(sql`last_ms`, Number),
};

type Values = {
  sessionId?: string | undefined;
  symbol?: string | undefined;
  fromMs?: number | undefined;
  toMs?: number | undefined;
  afterSymbol?: string | null | undefined;
  afterSide?: string | null | undefined;
  afterStatus?: string | null | undefined;
  limit: number;
};

/** Names that are null come first, apart from empty ones. */
const orderOf = (name: SQL): SQL => sql`${name} is not null, coalesce(${name}, '')`;
const order = sql`${orderOf(sql`symbol`)}, ${orderOf(sql`side`)}, ${orderOf(sql`status`)}`;

const stats = defineQuery<Values, typeof fields>({
  name: 'listOrderStats',
  fields,
  statement: (given, columns) => sql`
    with counted as (
      select symbol, ${lowerSide} as side, ${statusKey(sql`status`)} as status, count(*) as order_count,
        ${sum(sql`size`)} as size,
        ${sum(sql`coalesce(filledsize, filled)`)} as filled_size,
        ${sum(sql`usdvalue`)} as usd_value,
        min("timestamp") as first_ms, max("timestamp") as last_ms
      from orders
      where ${
        given.sessionId
          ? sql`sessionid = ${given.sessionId}`
          : sql`"timestamp" >= ${given.fromMs}::bigint and "timestamp" < ${given.toMs}::bigint`
      }
        ${given.symbol && sql`and symbol is not distinct from ${given.symbol}`}
      group by symbol, ${lowerSide}, ${statusKey(sql`status`)}
    )
    select ${columns()}
    from counted
    ${
      given.afterSymbol &&
      sql`where (${order}) > (${joinSql(
        [given.afterSymbol, given.afterSide, given.afterStatus].map((name) => orderOf(sql`${name}::text`)),
      )})`
    }
    order by ${order}
    limit ${given.limit}`,
});

const startListOrderStats = defineCall<OptionsOf<typeof listOrderStats>>('listOrderStats', 'replica', {
  sessionId: true,
  fromMs: true,
  toMs: true,
  symbol: true,
  limit: true,
  after: true,
});

/**
 * How many orders a session has (or all sessions in a range of time), how large they are and how much of them is executed,
 * by symbol, side and status. Sides and statuses that differ in case alone are one, statuses also without `_`, `-` and
 * spaces. In the order of the three names, null before all others; `after: page.at(-1)` gives the next page.
 *
 * Indexes: `idx_orders_sessionid` or another that begins with the session; `idx_orders_timestamp` for a range. All
 * orders in question are read for each page.
 *
 * @example
 * const stats = await listOrderStats(db, { sessionId: 's-1' });
 * const filled = stats.filter(({ status }) => status === 'filled');
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOrderStats(
  db: Database,
  options: CallOptions &
    OrderStatsFilter & {
      /** The pair, exactly as stored. */
      readonly symbol?: string | undefined;
      /** 1 to 1000 rows, 100 unless given. */
      readonly limit?: number | undefined;
      /** The last row of the page before. */
      readonly after?: OrderStatsKey | undefined;
    },
): Promise<OrderStats[]> {
  const call = startListOrderStats(db, options);
  if (options.sessionId !== undefined && (options.fromMs !== undefined || options.toMs !== undefined)) {
    throw new InvalidArgumentError('give either sessionId, or fromMs and toMs');
  }
  const scope =
    options.sessionId === undefined
      ? checkRange(options)
      : { sessionId: checkText('sessionId', options.sessionId) };
  return stats.list(call, {
    ...scope,
    symbol: checkOptionalText('symbol', options.symbol),
    limit: checkLimit(options.limit),
    ...toKey(options.after),
  });
}

function toKey(after: OrderStatsKey | undefined) {
  if (after === undefined) return {};
  const name = (key: keyof OrderStatsKey): string | null => {
    const value: unknown = after?.[key];
    return value === null ? null : checkText(`after.${key}`, value);
  };
  return { afterSymbol: name('symbol'), afterSide: name('side'), afterStatus: name('status') };
}
