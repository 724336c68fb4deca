import type { Wait, Waits } from '../services/clock.ts';
import type { Look, Queue } from '../watch.ts';

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
  /** Waits over the limit that nobody of ours is seen to cause, with what machine and server were at. */
  readonly notes: readonly string[];
}

/** What was seen while services felt what they felt. */
export interface Seen {
  readonly queues: readonly Queue[];
  readonly looks: readonly Look[];
}

/** Its statements are sent by `settleSessions`, and nobody but the server can say what they have waited. */
const untimed = 'settlement';

interface Judged extends Wait {
  readonly waitedMs: number;
  readonly queue: Queue | undefined;
}

/** A wait is what a statement took, less what a statement that touches no table took at the same time. */
export function judgeWaits(
  { long, pulses }: Waits,
  excuses: readonly Excuse[],
  { queues, looks }: Seen,
): JudgedWaits {
  const isOurs = (wait: Wait): boolean => !excuses.some((excuse) => meets(wait, excuse));
  const timed = long.filter(isOurs).map((wait): Judged => {
    const machineMs = longestOf(pulses.filter((pulse) => meets(wait, pulse)));
    const queue = queues.find(
      ({ service, seenAtMs }) => service === wait.service && seenAtMs >= wait.fromMs && seenAtMs <= wait.toMs,
    );
    return { ...wait, waitedMs: wait.toMs - wait.fromMs - machineMs, queue };
  });
  const judged = [
    ...timed,
    ...queues
      .filter(({ service }) => service === untimed)
      .map(ofQueue)
      .filter(isOurs),
  ];
  const tooLong = judged.filter(({ waitedMs }) => waitedMs > tradeLimitMs);
  const isBroken = ({ waitedMs, queue }: Judged): boolean =>
    (queue !== undefined && !queue.isBehindVacuum) || waitedMs > anyLimitMs;
  return {
    longestMs: Math.max(0, ...judged.map(({ waitedMs }) => waitedMs)),
    problems: tooLong.filter(isBroken).map((wait) => describe(wait, looks)),
    notes: tooLong.filter((wait) => !isBroken(wait)).map((wait) => describe(wait, looks)),
  };
}

const ofQueue = (queue: Queue): Judged => ({
  service: queue.service,
  fromMs: queue.seenAtMs - queue.waitedMs,
  toMs: queue.seenAtMs,
  waitedMs: queue.waitedMs,
  queue,
});

function describe({ service, waitedMs, fromMs, toMs, queue }: Judged, looks: readonly Look[]): string {
  const head = `${service} waited ${Math.round(waitedMs)} ms, from ${new Date(fromMs).toISOString()}`;
  if (queue !== undefined) return `${head}: ${queue.text}`;
  const during = looks.filter(({ atMs, tookMs }) => atMs + tookMs >= fromMs && atMs <= toMs);
  return [`${head}: for no lock that was seen`, ...during.slice(0, 8).map(({ text }) => `  ${text}`)].join(
    '\n',
  );
}

const meets = (a: Pick<Wait, 'fromMs' | 'toMs'>, b: Pick<Wait, 'fromMs' | 'toMs'>): boolean =>
  a.fromMs < b.toMs && b.fromMs < a.toMs;

const longestOf = (waits: readonly Wait[]): number =>
  Math.max(0, ...waits.map(({ fromMs, toMs }) => toMs - fromMs));
