import type { Wait, Waits } from '../services/clock.ts';

/** A time in which waits are not ours. */
export interface Excuse {
  readonly fromMs: number;
  toMs: number;
}

/**
 * No trade may wait longer. Our program steps back where somebody waits for 250 ms (`--max-trade-wait`), which it sees
 * within 100 ms; the rest is for the cancel request to arrive on two busy cores.
 */
export const tradeLimitMs = 500;

export interface JudgedWaits {
  /** The longest that is not excused, without what the machine itself took at the time. */
  readonly longestMs: number;
  readonly problems: readonly string[];
}

/** A wait is what a statement took, less what a statement that touches no table took at the same time. */
export function judgeWaits({ long, pulses }: Waits, excuses: readonly Excuse[]): JudgedWaits {
  const judged = long
    .filter((wait) => !excuses.some((excuse) => meets(wait, excuse)))
    .map((wait) => ({
      ...wait,
      waitedMs: wait.toMs - wait.fromMs - longestOf(pulses.filter((pulse) => meets(wait, pulse))),
    }));
  return {
    longestMs: Math.max(0, ...judged.map(({ waitedMs }) => waitedMs)),
    problems: judged
      .filter(({ waitedMs }) => waitedMs > tradeLimitMs)
      .map(
        ({ service, waitedMs, fromMs }) =>
          `${service} waited ${Math.round(waitedMs)} ms, from ${new Date(fromMs).toISOString()}`,
      ),
  };
}

const meets = (a: Pick<Wait, 'fromMs' | 'toMs'>, b: Pick<Wait, 'fromMs' | 'toMs'>): boolean =>
  a.fromMs < b.toMs && b.fromMs < a.toMs;

const longestOf = (waits: readonly Wait[]): number =>
  Math.max(0, ...waits.map(({ fromMs, toMs }) => toMs - fromMs));
