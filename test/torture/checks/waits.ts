import type { Wait, Waits } from '../services/clock.ts';
import type { Queue } from '../watch.ts';

/** A time in which waits are not ours. */
export interface Excuse {
  readonly fromMs: number;
  toMs: number;
}

/**
 * No trade may wait longer for a lock. Our program steps back where somebody waits for 250 ms (`--max-trade-wait`), which it
 * sees within 100 ms; the rest is for the cancel request to arrive on two busy cores.
 */
export const tradeLimitMs = 500;
/** Nor longer than this, whatever for: where the server has seen no lock, the machine itself may have been busy. */
export const anyLimitMs = 2_000;

export interface JudgedWaits {
  /** The longest that is not excused, without what the machine itself took at the time. */
  readonly longestMs: number;
  readonly problems: readonly string[];
}

/** A wait is what a statement took, less what a statement that touches no table took at the same time. */
export function judgeWaits(
  { long, pulses }: Waits,
  excuses: readonly Excuse[],
  queues: readonly Queue[],
): JudgedWaits {
  const judged = long
    .filter((wait) => !excuses.some((excuse) => meets(wait, excuse)))
    .map((wait) => ({
      ...wait,
      waitedMs: wait.toMs - wait.fromMs - longestOf(pulses.filter((pulse) => meets(wait, pulse))),
      queue: queues.find(
        ({ service, seenAtMs }) =>
          service === wait.service && seenAtMs >= wait.fromMs && seenAtMs <= wait.toMs,
      ),
    }));
  return {
    longestMs: Math.max(0, ...judged.map(({ waitedMs }) => waitedMs)),
    problems: judged
      .filter(({ waitedMs, queue }) => waitedMs > (queue === undefined ? anyLimitMs : tradeLimitMs))
      .map(({ service, waitedMs, fromMs, queue }) => {
        const when = new Date(fromMs).toISOString();
        return `${service} waited ${Math.round(waitedMs)} ms, from ${when}: ${queue?.text ?? 'for no lock that was seen'}`;
      }),
  };
}

const meets = (a: Pick<Wait, 'fromMs' | 'toMs'>, b: Pick<Wait, 'fromMs' | 'toMs'>): boolean =>
  a.fromMs < b.toMs && b.fromMs < a.toMs;

const longestOf = (waits: readonly Wait[]): number =>
  Math.max(0, ...waits.map(({ fromMs, toMs }) => toMs - fromMs));
