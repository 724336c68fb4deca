import { sql } from 'drizzle-orm';
import { arrayLiteral, checkInteger, checkLimit, checkRange, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { checkBucket, maxBuckets } from './buckets.ts';
import { isTraded, quotient, toText, tradeColumns } from './money.ts';

/** What was traded of one pair in one hour or day (UTC). Amounts are exact decimals, as strings. */
export interface PairVolume {
  /** When the hour or day begins, epoch ms. */
  readonly bucketStartMs: number;
  readonly symbol: string;
  /** Zero where the pair was quiet. */
  readonly fillCount: number;
  /** Fills that are in neither volume, because they lack a price or a size. */
  readonly excludedCount: number;
  /** In the base asset. */
  readonly baseVolume: string;
  /** Price times size, in the quote asset. */
  readonly quoteVolume: string;
  /** Volume-weighted average price, to 18 decimals. Null where nothing was traded. */
  readonly vwap: string | null;
}

export const maxSymbols = 100;

const fields = {
  bucketStartMs: { expression: sql`b.start_ms`, decode: Number },
  symbol: { expression: sql`p.symbol`, decode: String },
  fillCount: { expression: sql`coalesce(v.traded_count, 0)`, decode: Number },
  excludedCount: { expression: sql`coalesce(v.stored_count - v.traded_count, 0)`, decode: Number },
  baseVolume: { expression: toText(sql`coalesce(v.base, 0)`), decode: String },
  quoteVolume: { expression: toText(sql`coalesce(v.quote, 0)`), decode: String },
  vwap: {
    expression: toText(sql`round(${quotient(sql`v.quote`, sql`v.base`)}, 18)`),
    decode: (value: unknown): string | null => String(value),
  },
};

type Values = {
  fromMs: number;
  toMs: number;
  firstMs: number;
  lengthMs: number;
  symbols?: string | undefined;
  afterMs?: number | undefined;
  afterSymbol?: string | undefined;
  limit: number;
};

const volume = defineQuery<Values, typeof fields>({
  name: 'listPairVolume',
  fields,
  statement: (given, columns) => {
    const inRange = sql`
      select symbol, "timestamp", ${tradeColumns}
      from fills
      where "timestamp" >= ${given.fromMs}::bigint and "timestamp" < ${given.toMs}::bigint and symbol`;
    // Pair by pair, which offset 0 keeps: joined as a whole, the planner may read what all other pairs traded.
    const named = sql`named (symbol) as (select distinct s from unnest(${given.symbols}::text::text[]) as s),`;
    const traded = given.symbols
      ? sql`named cross join lateral (${inRange} = named.symbol offset 0) as k`
      : sql`(${inRange} is not null) as k`;
    return sql`
with ${given.symbols && named} traded as materialized (
  select k.symbol,
    k."timestamp" - k."timestamp" % ${given.lengthMs}::bigint as start_ms,
    count(*) as stored_count,
    count(*) filter (where ${isTraded}) as traded_count,
    sum(size) filter (where ${isTraded}) as base,
    sum(price * size) filter (where ${isTraded}) as quote
  from ${traded}
  group by k.symbol, start_ms
), pairs as (
  select distinct symbol from ${given.symbols ? sql`named` : sql`traded`}
)
select ${columns()}
from generate_series(${given.firstMs}::bigint, ${given.toMs}::bigint - 1, ${given.lengthMs}::bigint) as b (start_ms)
cross join pairs as p
left join traded as v on v.start_ms = b.start_ms and v.symbol = p.symbol
${given.afterMs && sql`where (b.start_ms, p.symbol) > (${given.afterMs}::bigint, ${given.afterSymbol})`}
order by b.start_ms, p.symbol
limit ${given.limit}`;
  },
});

const startListPairVolume = defineCall<OptionsOf<typeof listPairVolume>>('listPairVolume', 'replica', {
  bucket: true,
  fromMs: true,
  toMs: true,
  symbols: true,
  limit: true,
  after: true,
});

/**
 * What was traded of each pair in each hour or day (UTC) that `fromMs <= timestamp < toMs` touches, by time, then by
 * symbol; a quiet pair has a row of zeros. Pairs are the given `symbols`, or all that were traded in the range. The first
 * and the last bucket count only what lies in the range. `after: page.at(-1)` gives the next page. Exact as
 * {@link listPairPerformance} is. A fill without a symbol or a timestamp belongs to no row.
 *
 * Indexes: `idx_fills_symbol_timestamp` for given symbols, or, for all and where few others are traded,
 * `idx_fills_timestamp`; reads the fills of the range.
 *
 * @throws {InvalidArgumentError} `toMs` lies before `fromMs`, the range has more than 10,000 buckets, or there are more
 * than 100 symbols.
 * @throws {DatabaseError}
 * @example
 * const day = { fromMs: 1723075200000, toMs: 1723161600000 };
 * const hours = await listPairVolume(db, { bucket: 'hour', ...day, symbols: ['BTC/USD', 'ETH/USD'] });
 */
export async function listPairVolume(
  db: Database,
  options: CallOptions & {
    readonly bucket: 'hour' | 'day';
    /** Epoch ms, not before 1970. */
    readonly fromMs: number;
    readonly toMs: number;
    /** 1 to 100 pairs, exactly as stored. */
    readonly symbols?: readonly string[] | undefined;
    /** 1 to 1000 rows, 100 unless given. */
    readonly limit?: number | undefined;
    /** The last row of the page before. */
    readonly after?: Pick<PairVolume, 'bucketStartMs' | 'symbol'> | undefined;
  },
): Promise<PairVolume[]> {
  const call = startListPairVolume(db, options);
  const { bucket, symbols, after } = options;
  const lengthMs = checkBucket(bucket);
  const { fromMs, toMs } = checkRange(options);
  checkInteger('fromMs', fromMs, { min: 0 });
  const firstMs = fromMs - (fromMs % lengthMs);
  if ((toMs - firstMs) / lengthMs > maxBuckets) {
    throw new InvalidArgumentError(`the range must have ${maxBuckets} buckets at most`);
  }
  if (
    symbols !== undefined &&
    !(Array.isArray(symbols) && symbols.length >= 1 && symbols.length <= maxSymbols)
  ) {
    throw new InvalidArgumentError(`symbols must be 1 to ${maxSymbols} pairs`);
  }
  const limit = checkLimit(options.limit);
  const names = symbols?.map((symbol, i) => checkText(`symbols[${i}]`, symbol));
  const key =
    after === undefined
      ? {}
      : {
          afterMs: checkInteger('after.bucketStartMs', after?.bucketStartMs),
          afterSymbol: checkText('after.symbol', after?.symbol),
        };
  if (fromMs === toMs) return [];
  return volume.list(call, {
    fromMs,
    toMs,
    firstMs,
    lengthMs,
    symbols: names && arrayLiteral(names),
    ...key,
    limit,
  });
}
