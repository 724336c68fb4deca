import { pause } from '../core/pause.ts';
import type { SessionSummary } from './session-summary.ts';
import type { Attempt, Try } from './settlement-attempt.ts';

/** What a worker has done. */
export interface SettlementCounts {
  /** Recorded as settled. */
  readonly settled: number;
  /** The handler gave false: recorded as not settled yet. */
  readonly incomplete: number;
  /** The handler threw, or its transaction failed: recorded as not settled. */
  readonly failed: number;
  /** Given up because the worker was to stop: as if they had not been claimed. */
  readonly released: number;
  /** Somebody else had the session in the end: nothing was recorded. */
  readonly lost: number;
}

/** What ends a worker: a signal from outside, or an error. */
export class Stop {
  readonly #controller = new AbortController();
  readonly #derived = new Set<AbortController>();
  readonly #errors: unknown[] = [];
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #outer: AbortSignal | undefined;
  readonly #forward = (): void => this.#abort(this.#outer?.reason);

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#forward, { once: true });
    if (outer?.aborted) this.#forward();
  }

  readonly fail = (error: unknown): void => {
    this.#errors.push(error);
    this.#abort(new DOMException('the worker ends, because something failed', 'AbortError'));
  };

  /** Does work with a signal of its own. All listening to one, Node would warn of a leak from the eleventh on. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#derived.add(controller);
    if (this.signal.aborted) controller.abort(this.signal.reason);
    try {
      return await work(controller.signal);
    } finally {
      this.#derived.delete(controller);
    }
  }

  /** Lets go of the outer signal; throws what has ended the worker, if it was an error: as it was, unless there are several. */
  end(): void {
    this.#outer?.removeEventListener('abort', this.#forward);
    if (this.#errors.length === 1) throw this.#errors[0];
    if (this.#errors.length > 1) {
      throw new AggregateError(this.#errors, `settleSessions: ${this.#errors.length} errors have ended it`);
    }
  }

  #abort(reason: unknown): void {
    this.#controller.abort(reason);
    for (const controller of this.#derived) controller.abort(this.signal.reason);
  }
}

/** What the loop itself needs to know. */
export interface Loop {
  readonly concurrency: number;
  /** How long to wait where there is nothing to claim; undefined to end there. */
  readonly idleDelayMs: number | undefined;
  readonly onError: ((error: unknown, session: SessionSummary) => void | Promise<void>) | undefined;
}

/**
 * Makes one attempt after the other, so many of them at once; claims one session at a time, so that a worker without work
 * asks once, and not for each of its lanes. Resolves when all that it has begun has ended.
 */
export async function runAttempts(
  attempt: Try,
  stop: Stop,
  { concurrency, idleDelayMs, onError }: Loop,
): Promise<SettlementCounts> {
  const counts = { settled: 0, incomplete: 0, failed: 0, released: 0, lost: 0 };
  const running = new Set<Promise<void>>();
  // Not a race of all that run: each would leave something behind in the one that runs for long.
  let freed = (): void => {};

  const conclude = async (result: Attempt): Promise<void> => {
    if (result.outcome === 'nothing') return;
    counts[result.outcome]++;
    if (result.outcome !== 'failed') return;
    if (onError === undefined) stop.fail(result.error);
    else await onError(result.error, result.session);
  };

  while (!stop.signal.aborted) {
    if (running.size === concurrency) {
      await new Promise<void>((resolve) => {
        freed = resolve;
      });
      continue;
    }
    const isClaimed = await new Promise<boolean>((resolve) => {
      const task: Promise<void> = stop
        .during((signal) => attempt(signal, () => resolve(true)))
        .then(conclude)
        .catch(stop.fail)
        .then(() => {
          running.delete(task);
          resolve(false);
          freed();
        });
      running.add(task);
    });
    if (isClaimed) continue;
    if (idleDelayMs === undefined) break;
    await pause(idleDelayMs, stop.signal);
  }
  await Promise.all(running);
  stop.end();
  return counts;
}
