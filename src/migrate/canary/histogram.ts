/** Waits in short: how many, and in milliseconds what half of them, 99 %, 99.9 % and all of them stayed within. */
export interface WaitSummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
}

/** Each bucket ends 4.4 % above the one before: closer than two runs on one machine come to each other. */
const bucketsPerDoubling = 16;
const leastMs = 0.01;
/** 2 to the 26th hundredths of a millisecond: 11 minutes. */
const bucketCount = 26 * bucketsPerDoubling;

/** Counts waits in buckets: of a run of a night it keeps as much as of one of a second. */
export class WaitHistogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #longestMs = 0;

  record(ms: number): void {
    const bucket = Math.ceil(Math.log2(Math.max(leastMs, ms) / leastMs) * bucketsPerDoubling);
    const index = Math.min(bucketCount - 1, bucket);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    this.#longestMs = Math.max(this.#longestMs, ms);
  }

  /** Undefined where nothing was recorded. */
  summarize(): WaitSummary | undefined {
    if (this.#count === 0) return undefined;
    return {
      count: this.#count,
      p50Ms: this.#percentile(0.5),
      p99Ms: this.#percentile(0.99),
      p999Ms: this.#percentile(0.999),
      longestMs: this.#longestMs,
    };
  }

  /** The end of the bucket in which the wait stands that so large a share stays within; never more than the longest. */
  #percentile(share: number): number {
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(this.#longestMs, leastMs * 2 ** (index / bucketsPerDoubling));
    }
    return this.#longestMs;
  }
}
