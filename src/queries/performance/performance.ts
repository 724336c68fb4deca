import { type SQL, sql } from 'drizzle-orm';
import { checkLimit, checkRange, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { type Computed, defineQuery } from '../core/query.ts';
import { feeColumns, feeLines, isDecimal } from './fee-lines.ts';
import { isTraded, quotient, toText, tradeColumns } from './money.ts';
import type { FeeTotal, PairPerformance, PerformanceFilter } from './pair-performance.ts';

const text = (expression: SQL): Computed<string> => ({ expression, decode: String });
const count = (expression: SQL): Computed<number> => ({ expression, decode: Number });
const orNull = (expression: SQL): Computed<string | null> => ({ expression, decode: String });

const matched = sql`least(t.buy_base, t.sell_base)`;
const realizedPnl = sql`coalesce(
    ${quotient(sql`${matched} * t.sell_quote`, sql`t.sell_base`)} - ${quotient(sql`${matched} * t.buy_quote`, sql`t.buy_base`)},
    0
  )`;

const fields = {
  symbol: orNull(sql`t.symbol`),
  fillCount: count(sql`t.buy_count + t.sell_count`),
  buyCount: count(sql`t.buy_count`),
  sellCount: count(sql`t.sell_count`),
  excludedCount: count(sql`t.stored_count - t.buy_count - t.sell_count`),
  baseVolume: text(toText(sql`t.buy_base + t.sell_base`)),
  buyBaseVolume: text(toText(sql`t.buy_base`)),
  sellBaseVolume: text(toText(sql`t.sell_base`)),
  quoteVolume: text(toText(sql`t.buy_quote + t.sell_quote`)),
  buyQuoteVolume: text(toText(sql`t.buy_quote`)),
  sellQuoteVolume: text(toText(sql`t.sell_quote`)),
  buyVwap: orNull(toText(sql`round(${quotient(sql`t.buy_quote`, sql`t.buy_base`)}, 18)`)),
  sellVwap: orNull(toText(sql`round(${quotient(sql`t.sell_quote`, sql`t.sell_base`)}, 18)`)),
  netPosition: text(toText(sql`t.buy_base - t.sell_base`)),
  cashFlow: text(toText(sql`t.sell_quote - t.buy_quote`)),
  realizedPnl: text(toText(sql`round(${realizedPnl}, 18)`)),
  fees: {
    expression: sql`coalesce(f.totals, '[]')`,
    decode: (value: unknown): FeeTotal[] => JSON.parse(String(value)),
  },
  unreadableFeeCount: count(sql`coalesce(f.unreadable_count, 0)`),
};

type Values = {
  sessionId?: string | undefined;
  fromMs?: number | undefined;
  toMs?: number | undefined;
  afterSymbol?: string | undefined;
  limit: number;
};

const isReadable = isDecimal(sql`line.amount`);

const performance = defineQuery<Values, typeof fields>({
  name: 'listPairPerformance',
  fields,
  statement: (given, columns) => sql`
with picked as materialized (
  select symbol, lower(side) as side, ${tradeColumns}, ${feeColumns}
  from fills
  where ${
    given.sessionId
      ? sql`sessionid = ${given.sessionId}`
      : sql`"timestamp" >= ${given.fromMs} and "timestamp" < ${given.toMs}`
  }
    ${given.afterSymbol && sql`and (symbol > ${given.afterSymbol} or symbol is null)`}
), traded as (
  select symbol,
    count(*) as stored_count,
    count(*) filter (where is_buy) as buy_count,
    count(*) filter (where is_sell) as sell_count,
    coalesce(sum(size) filter (where is_buy), 0) as buy_base,
    coalesce(sum(size) filter (where is_sell), 0) as sell_base,
    coalesce(sum(price * size) filter (where is_buy), 0) as buy_quote,
    coalesce(sum(price * size) filter (where is_sell), 0) as sell_quote
  from (
    select symbol, price, size,
      side = 'buy' and ${isTraded} as is_buy,
      side = 'sell' and ${isTraded} as is_sell
    from picked
  ) as k
  group by symbol
  order by symbol
  limit ${given.limit}
), charged as (
  select k.symbol, nullif(line.currency, '') as currency,
    sum(case when ${isReadable} then line.amount::numeric end) as amount,
    count(*) filter (where not ${isReadable}) as unreadable_count
  from picked as k
  cross join lateral (${feeLines}) as line
  group by k.symbol, nullif(line.currency, '')
), fee_totals as (
  select symbol, sum(unreadable_count) as unreadable_count,
    json_agg(json_build_object('currency', currency, 'amount', ${toText(sql`amount`)}) order by currency)
      filter (where amount is not null)::text as totals
  from charged
  group by symbol
)
select ${columns()}
from traded as t
left join fee_totals as f on f.symbol is not distinct from t.symbol
order by t.symbol`,
});

const startListPairPerformance = defineCall<OptionsOf<typeof listPairPerformance>>(
  'listPairPerformance',
  'replica',
  { sessionId: true, fromMs: true, toMs: true, limit: true, after: true },
);

/**
 * What each pair came to: counts, volumes, VWAP, fees, position, cash flow and realised P&L, of one session or of all
 * sessions in a range; in the order of the symbols, a missing one last. `after: page.at(-1)` gives the next page.
 *
 * Sums are taken over the shortest decimals that the stored float4 values stand for (`0.1` is 0.1), in numeric, so
 * nothing is rounded; only quotients are, to 18 decimals. The size of a fill is its `size`, else `amount`, else
 * `quantity`. A fill without side, price or size is counted in `excludedCount`, not as zero.
 *
 * **Fees** of a fill come from `fees`, where it is there: a map of currencies (`{"USDT": 0.1}`), a fee (`{"currency":
 * "USDT", "cost": 0.1}`), a list of either, or an amount. An object with any of `currency`, `cost`, `amount`, `fee` and
 * `rate` is a fee: of its `cost`, else `amount`, else `fee`, and unnamed without a `currency`. Else from `feeData`, if it
 * is a fee with an amount; else from `fee`, else `feeAmount`, in the currency of `feeData` or an unnamed one; else from
 * `feeData` in any form that `fees` may have. What is no decimal, or can't be told, is counted in `unreadableFeeCount`.
 *
 * **Realised P&L** is the matched quantity times the difference of the average prices,
 * `min(bought, sold) × (sellVwap − buyVwap)`: what was both bought and sold is closed at the averages of the period, in
 * whatever order it happened, and what is left is `netPosition`, neither realised nor valued. Fees are NOT included: they
 * may be in another currency; take those in the quote asset from `fees`. An example: bought 2 at 100 and 1 at 106, sold 2
 * at 105. `buyVwap` = 306 / 3 = 102, `sellVwap` = 105, `realizedPnl` = 2 × (105 − 102) = 6, `netPosition` = 1,
 * `cashFlow` = 210 − 306 = −96. And indeed −96 + 1 × 102, the cost of what is left, is 6.
 *
 * Indexes: `idx_fills_sessionid` for a session, `idx_fills_timestamp` for a range; reads all fills of either.
 *
 * @throws {InvalidArgumentError} not exactly one of session and range is given, or `limit` is not from 1 to 1000.
 * @throws {DatabaseError}
 * @example
 * for (const { symbol, realizedPnl, fees } of await listPairPerformance(db, { sessionId: 's-1' })) {
 *   console.log(symbol, realizedPnl, fees.map(({ amount, currency }) => `${amount} ${currency ?? '?'}`));
 * }
 */
export async function listPairPerformance(
  db: Database,
  options: CallOptions &
    PerformanceFilter & {
      /** 1 to 1000 pairs, 100 unless given. */
      readonly limit?: number | undefined;
      /** The last row of the page before. */
      readonly after?: Pick<PairPerformance, 'symbol'> | undefined;
    },
): Promise<PairPerformance[]> {
  const call = startListPairPerformance(db, options);
  const { sessionId, fromMs, toMs, after } = options;
  const isRange = fromMs !== undefined || toMs !== undefined;
  if (isRange === (sessionId !== undefined)) {
    throw new InvalidArgumentError('give either sessionId, or fromMs and toMs');
  }
  const limit = checkLimit(options.limit);
  const filter = isRange ? checkRange({ fromMs, toMs }) : { sessionId: checkText('sessionId', sessionId) };
  // The pair that is null comes last.
  if (after?.symbol === null) return [];
  return performance.list(call, {
    ...filter,
    afterSymbol: after === undefined ? undefined : checkText('after.symbol', after?.symbol),
    limit,
  });
}
