import type { Connection } from '../../connection/connection.ts';
import type { WaitSummary } from './histogram.ts';
import { holdSlow, holdWatching, releaseSlow } from './probe.ts';

/** So many quick probes, a tenth of a second, end a time in which trading is slow. */
const quickAgain = 4;
/** Without a baseline; with one, twice its p99, and never below 5 ms: what a flush takes on a disk that has other work. */
const slowMs = { unknown: 20, least: 5, factor: 2 };

/** Tells the files, by two advisory locks, that somebody measures, and while trading is slow. */
export class Pace {
  readonly #session: Connection;
  #slowAboveMs = slowMs.unknown;
  #isWatching = false;
  #isHeld = false;
  #quick = 0;

  constructor(session: Connection) {
    this.#session = session;
  }

  /** A probe that took longer is slow. */
  get slowAboveMs(): number {
    return this.#slowAboveMs;
  }

  /** @param before what trading feels without the run; undefined where it was not measured */
  learn(before: WaitSummary | undefined): void {
    if (before !== undefined) this.#slowAboveMs = Math.max(slowMs.least, slowMs.factor * before.p99Ms);
  }

  async tell(tookMs: number): Promise<void> {
    // Until then the database rests as if nobody measured.
    if (!this.#isWatching) this.#isWatching = await holdWatching(this.#session);
    if (tookMs > this.#slowAboveMs) {
      this.#quick = 0;
      if (!this.#isHeld) this.#isHeld = await holdSlow(this.#session);
    } else if (this.#isHeld && ++this.#quick >= quickAgain) {
      await releaseSlow(this.#session);
      this.#isHeld = false;
    }
  }
}
