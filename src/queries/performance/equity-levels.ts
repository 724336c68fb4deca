import { add, type Decimal, multiply, subtract, zero } from './decimal.ts';
import type { PairBook } from './pair-book.ts';
import type { PairFill } from './pair-fills.ts';

/** Where an account stands at an instant; or what has come since another. In the asset that pairs are added up in. */
export interface Level {
  readonly realizedPnl: Decimal;
  readonly unrealizedPnl: Decimal;
  readonly fees: Decimal;
  readonly fillCount: number;
  readonly excludedCount: number;
  readonly unreadableFeeCount: number;
}

export const noLevel: Level = {
  ...{ realizedPnl: zero, unrealizedPnl: zero, fees: zero },
  ...{ fillCount: 0, excludedCount: 0, unreadableFeeCount: 0 },
};

const combine = (
  a: Level,
  b: Level,
  decimals: typeof add,
  counts: (a: number, b: number) => number,
): Level => ({
  realizedPnl: decimals(a.realizedPnl, b.realizedPnl),
  unrealizedPnl: decimals(a.unrealizedPnl, b.unrealizedPnl),
  fees: decimals(a.fees, b.fees),
  fillCount: counts(a.fillCount, b.fillCount),
  excludedCount: counts(a.excludedCount, b.excludedCount),
  unreadableFeeCount: counts(a.unreadableFeeCount, b.unreadableFeeCount),
});

export const plus = (a: Level, b: Level): Level => combine(a, b, add, (m, n) => m + n);
const minus = (a: Level, b: Level): Level => combine(a, b, subtract, (m, n) => m - n);

/** How a range is cut into buckets. */
export interface Buckets {
  readonly fromMs: number;
  /** Begin of the first bucket. */
  readonly firstMs: number;
  readonly lengthMs: number;
}

/** All that was before the range. */
export const opening = -1;

const bucketOf = (timestampMs: number, { fromMs, firstMs, lengthMs }: Buckets): number =>
  timestampMs < fromMs ? opening : Math.floor((timestampMs - firstMs) / lengthMs);

/**
 * Adds to `changes` what a pair changes in each bucket, marked at its last price there. What is kept is as much as there
 * are buckets with a change, and not as there are fills.
 */
export class EquityBook {
  readonly #book: PairBook;
  readonly #rate: () => Decimal;
  readonly #buckets: Buckets;
  readonly #changes: Map<number, Level>;
  #bucket = opening;
  #level = noLevel;

  constructor(book: PairBook, rate: () => Decimal, buckets: Buckets, changes: Map<number, Level>) {
    this.#book = book;
    this.#rate = rate;
    this.#buckets = buckets;
    this.#changes = changes;
  }

  count(fill: PairFill): void {
    const bucket = bucketOf(Number(fill.timestampMs), this.#buckets);
    if (bucket !== this.#bucket) {
      this.flush();
      this.#bucket = bucket;
    }
    this.#book.count(fill);
  }

  /** The bucket is at its end. */
  flush(): void {
    const level = this.#measure();
    const change = this.#changes.get(this.#bucket) ?? noLevel;
    this.#changes.set(this.#bucket, plus(change, minus(level, this.#level)));
    this.#level = level;
  }

  #measure(): Level {
    const { position, fees, lastPrice, fillCount, excludedCount, unreadableFeeCount } = this.#book;
    // A pair that has come to nothing needs no rate.
    const rate = fillCount === 0 && fees.units === 0n ? zero : this.#rate();
    return {
      realizedPnl: multiply(position.realizedPnl, rate),
      unrealizedPnl: multiply(lastPrice === undefined ? zero : position.unrealizedPnl(lastPrice), rate),
      fees: multiply(fees, rate),
      ...{ fillCount, excludedCount, unreadableFeeCount },
    };
  }
}
