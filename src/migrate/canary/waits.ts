import type { WaitSummary } from './histogram.ts';
import type { WaitTimeline } from './timeline.ts';

/** What trading felt of a run: how long a probe took that does what a trade does. */
export type TradeWaits =
  | {
      readonly measured: true;
      /** Without the run; undefined where the tables are small, or the run broke off before. */
      readonly before: WaitSummary | undefined;
      /** While it worked; undefined where it ended before the first probe. */
      readonly during: WaitSummary | undefined;
      /** When the run began to work, which is when `during` begins. */
      readonly workedFromMs: number | undefined;
      /** `--max-trade-wait` */
      readonly limitMs: number;
      /** A probe that took longer made the next batch wait. */
      readonly slowAboveMs: number;
      /** Do the commits wait for the disk? Not where a logical slot is read: the readers would see the probes. */
      readonly flushes: boolean;
      readonly timeline: WaitTimeline;
      /** Why it ended before the run did. */
      readonly lost: string | undefined;
    }
  | {
      readonly measured: false;
      readonly reason: string;
    };
