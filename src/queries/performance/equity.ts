import { checkInteger, checkLimit, checkRange, maxLimit } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { checkBucket, maxBuckets } from './buckets.ts';
import { add, compare, type Decimal, formatDecimal, subtract } from './decimal.ts';
import { type Buckets, EquityBook, type Level, noLevel, opening, plus } from './equity-levels.ts';
import { PairBook } from './pair-book.ts';
import { createPnlReader, type PnlScope, type ScopeValues } from './pair-fills.ts';
import { checkMethod, checkScope } from './pair-pnl.ts';
import type { PnlMethod } from './position.ts';
import { checkFeeRates, checkQuoteRates, type FeeRates } from './rates.ts';

/** Where P&L stood at the end of an hour or day (UTC). Amounts are exact decimals, as strings, in the quote asset. */
export interface Equity {
  /** When the hour or day begins, epoch ms. */
  readonly bucketStartMs: number;
  /** Of all that was closed until the end of the bucket, without fees. */
  readonly realizedPnl: string;
  /** Of all that was open then, each pair at its last traded price. */
  readonly unrealizedPnl: string;
  /** Until then. Paid above zero, rebates below. */
  readonly fees: string;
  /** `realizedPnl + unrealizedPnl − fees`. */
  readonly equity: string;
  /** The highest equity so far: of the buckets up to this one, and just before `fromMs`. */
  readonly peak: string;
  /** `peak − equity`: zero at a peak, never below. */
  readonly drawdown: string;
  /** Fills that count, until the end of the bucket. */
  readonly fillCount: number;
  /** Fills that do not, as in {@link listPairPnl}: until then, and all that have no timestamp or pair. */
  readonly excludedCount: number;
  /** Fee entries that are no decimal, until then. */
  readonly unreadableFeeCount: number;
}

const reader = createPnlReader('listEquity');

const startListEquity = defineCall<OptionsOf<typeof listEquity>>('listEquity', 'replica', {
  method: true,
  bucket: true,
  fromMs: true,
  toMs: true,
  sessionId: true,
  exchange: true,
  feeRates: true,
  quoteRates: true,
  limit: true,
  after: true,
});

/**
 * P&L as it grew, of a session, of an exchange or of all: where it stood at the end of each hour or day (UTC) that
 * `fromMs <= timestamp < toMs` touches, in their order, quiet ones too; the last ends at `toMs`. Cumulated from the first
 * fill that is stored, not from `fromMs`. `after: page.at(-1)` gives the next page, at the cost of the whole.
 *
 * At the end of each bucket it is what {@link listPairPnl} says with `atMs` a millisecond before it, added up over the
 * pairs, each marked at the price of its own last fill until then: a price at which these sessions traded, not the
 * market's. `equity = realizedPnl + unrealizedPnl − fees`, exactly; `method` only says what part of it is realised.
 *
 * Pairs are added up in one quote asset. If all are called `BASE/QUOTE` with one and the same quote, or there is one pair,
 * it is that of theirs. Else `quoteRates` say what a unit of each quote is worth in the asset of your choice, by quote
 * (`{ USDT: '1', BTC: '61837.63' }`) or by pair, where the name does not tell the quote (`{ XBTUSDT: '1' }`). The
 * rates are the same for all buckets. `feeRates` are into the quote of the pair, as in {@link listPairPnl}.
 *
 * An example: bought 1 at 100 with a fee of 1 in the first hour, bought 1 at 106 in the second, sold 1 at 101 in the third,
 * by FIFO. The hours end with a `realizedPnl` of 0, 0, 1, an `unrealizedPnl` of 0, (106 − 100) + 0 = 6, 101 − 106 = −5,
 * and `fees` of 1: an `equity` of −1, 5, −5, with a `peak` of 0 (before the first hour), 5, 5 and a `drawdown` of 1, 0, 10.
 *
 * Holds as much as there are buckets, and else what `listPairPnl` does; memory, consistency and indexes are as there. Reads
 * all fills up to `toMs`.
 *
 * @throws {InvalidArgumentError} a fee or a pair is in a currency without a rate, which is named; `toMs` lies before
 * `fromMs`, or the range has more than 10,000 buckets; a session and an exchange are given.
 * @throws {DatabaseError}
 * @example
 * const august = { fromMs: 1722470400000, toMs: 1725148800000 };
 * const days = await listEquity(db, { bucket: 'day', ...august, method: 'average', exchange: 'okx' });
 * console.log(days.map(({ equity, drawdown }) => `${equity} (${drawdown} below the peak)`));
 */
export async function listEquity(
  db: Database,
  options: CallOptions &
    PnlScope & {
      readonly method: PnlMethod;
      readonly bucket: 'hour' | 'day';
      /** Epoch ms, not before 1970. */
      readonly fromMs: number;
      readonly toMs: number;
      readonly feeRates?: FeeRates | undefined;
      /** By quote asset or pair, decimals as text. */
      readonly quoteRates?: Readonly<Record<string, string>> | undefined;
      /** 1 to 1000 rows, 100 unless given. */
      readonly limit?: number | undefined;
      /** The last row of the page before. */
      readonly after?: Pick<Equity, 'bucketStartMs'> | undefined;
    },
): Promise<Equity[]> {
  const call = startListEquity(db, options);
  const { after } = options;
  const lengthMs = checkBucket(options.bucket);
  const { fromMs, toMs } = checkRange(options);
  checkInteger('fromMs', fromMs, { min: 0 });
  const firstMs = fromMs - (fromMs % lengthMs);
  const count = Math.ceil((toMs - firstMs) / lengthMs);
  if (count > maxBuckets) throw new InvalidArgumentError(`the range must have ${maxBuckets} buckets at most`);
  const reading = {
    method: checkMethod(options.method),
    scope: { ...checkScope(options), atMs: toMs - 1 },
    feeRate: checkFeeRates(options.feeRates),
    quoteRate: checkQuoteRates(options.quoteRates),
    buckets: { fromMs, firstMs, lengthMs },
  };
  const limit = checkLimit(options.limit);
  const afterMs = after === undefined ? -1 : checkInteger('after.bucketStartMs', after?.bucketStartMs);
  if (fromMs === toMs) return [];
  const changes = await readChanges(call, reading);
  const rows = toRows(changes, { firstMs, lengthMs, count });
  const start = rows.findIndex(({ bucketStartMs }) => bucketStartMs > afterMs);
  return start === -1 ? [] : rows.slice(start, start + limit);
}

interface Reading {
  readonly method: PnlMethod;
  readonly scope: ScopeValues;
  readonly feeRate: ReturnType<typeof checkFeeRates>;
  readonly quoteRate: ReturnType<typeof checkQuoteRates>;
  readonly buckets: Buckets;
}

/** What each bucket has changed, over all pairs. */
async function readChanges(
  db: Database,
  { method, scope, feeRate, quoteRate, buckets }: Reading,
): Promise<Map<number, Level>> {
  const changes = new Map<number, Level>();
  let afterSymbol: string | undefined;
  for (;;) {
    const pairs = await reader.listPairs(db, { ...scope, afterSymbol, limit: maxLimit });
    for (const { symbol, unplacedCount } of pairs) {
      const before = changes.get(opening) ?? noLevel;
      changes.set(opening, plus(before, { ...noLevel, excludedCount: unplacedCount }));
      if (symbol === null) return changes;
      afterSymbol = symbol;
      const rate = (): Decimal => quoteRate(symbol);
      const book = new EquityBook(new PairBook(symbol, method, feeRate), rate, buckets, changes);
      for await (const page of reader.readFills(db, { ...scope, symbol })) {
        for (const fill of page) book.count(fill);
      }
      book.flush();
    }
    if (pairs.length < maxLimit) return changes;
  }
}

/** The sum of the changes, bucket by bucket. */
function toRows(
  changes: ReadonlyMap<number, Level>,
  { firstMs, lengthMs, count }: { firstMs: number; lengthMs: number; count: number },
): Equity[] {
  let level = changes.get(opening) ?? noLevel;
  let peak = equityOf(level);
  return Array.from({ length: count }, (_, bucket) => {
    const change = changes.get(bucket);
    if (change !== undefined) level = plus(level, change);
    const equity = equityOf(level);
    if (compare(equity, peak) > 0) peak = equity;
    return {
      bucketStartMs: firstMs + bucket * lengthMs,
      realizedPnl: formatDecimal(level.realizedPnl),
      unrealizedPnl: formatDecimal(level.unrealizedPnl),
      fees: formatDecimal(level.fees),
      equity: formatDecimal(equity),
      peak: formatDecimal(peak),
      drawdown: formatDecimal(subtract(peak, equity)),
      fillCount: level.fillCount,
      excludedCount: level.excludedCount,
      unreadableFeeCount: level.unreadableFeeCount,
    };
  });
}

const equityOf = ({ realizedPnl, unrealizedPnl, fees }: Level): Decimal =>
  subtract(add(realizedPnl, unrealizedPnl), fees);
