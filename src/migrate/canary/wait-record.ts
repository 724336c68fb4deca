import { WaitHistogram, type WaitSummary } from './histogram.ts';
import { TimelineKeeper, type WaitTimeline } from './timeline.ts';

/** Keeps how long the probes took: before the run began to work, and since. */
export class WaitRecord {
  readonly #beatMs: number;
  readonly #onSecond: (longestMs: number, longestSoFarMs: number) => void;
  readonly #timeline = new TimelineKeeper(Date.now());
  #histogram = new WaitHistogram();
  #before: WaitSummary | undefined;
  #workedFromMs: number | undefined;
  #second = { startedAtMs: Date.now(), longestMs: 0 };
  #longestMs = 0;

  /**
   * @param beatMs between two probes
   * @param onSecond each second: the longest wait in it, and of the run so far
   */
  constructor(beatMs: number, onSecond: (longestMs: number, longestSoFarMs: number) => void) {
    this.#beatMs = beatMs;
    this.#onSecond = onSecond;
  }

  /** What was recorded so far is what trading feels without the run: gives it. */
  beginWork(): WaitSummary | undefined {
    this.#before = this.#histogram.summarize();
    this.#histogram = new WaitHistogram();
    this.#workedFromMs = Date.now();
    this.#longestMs = 0;
    return this.#before;
  }

  /** The probes that were due while one waited would have waited, too: else the longest waits are the fewest. */
  record(tookMs: number): void {
    const nowMs = Date.now();
    for (let waitMs = tookMs; waitMs > 0; waitMs -= this.#beatMs) {
      this.#histogram.record(waitMs);
      this.#timeline.record(nowMs - waitMs, waitMs);
    }
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    const longestMs = Math.max(this.#second.longestMs, tookMs);
    this.#second = { ...this.#second, longestMs };
    if (nowMs - this.#second.startedAtMs < 1_000) return;
    this.#second = { startedAtMs: nowMs, longestMs: 0 };
    this.#onSecond(longestMs, this.#longestMs);
  }

  read(): RecordedWaits {
    const measured = this.#histogram.summarize();
    const isWorking = this.#workedFromMs !== undefined;
    return {
      before: isWorking ? this.#before : measured,
      during: isWorking ? measured : undefined,
      workedFromMs: this.#workedFromMs,
      timeline: this.#timeline.read(),
    };
  }
}

/** Of a run that has not begun to work there is only what was before. */
export interface RecordedWaits {
  readonly before: WaitSummary | undefined;
  readonly during: WaitSummary | undefined;
  readonly workedFromMs: number | undefined;
  readonly timeline: WaitTimeline;
}
