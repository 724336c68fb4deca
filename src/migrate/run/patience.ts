import type { Sight } from '../../connection/watch.ts';
import { readBlockLabel } from '../plan/head.ts';
import { isCancelled, isLockTimeout, waitedTooLong } from './gave-up.ts';
import { SteppedBack } from './stepped-back.ts';

/** How long a statement may wait for others, and others for it. */
export interface PatienceLimits {
  readonly maxWaitMs: number;
  /** Undefined: it can't be tried again, and is not cancelled for who waits behind it. */
  readonly maxTradeWaitMs: number | undefined;
  /** It takes its locks in tries of its own, and gives up by itself. */
  readonly triesItself: boolean;
}

/**
 * Until a wait is over that is to be ended: it is looked for each 50 ms, and a cancelled build ends after another 50 to
 * 150 ms, with its workers (measured while services start beside builds, on 2 cores under load).
 */
const reactionMs = 200;

/**
 * How long others may have waited behind a statement when it is cancelled. A build, a drop of an index, the validation of a
 * check keep their lock to their end: who waits behind one will wait beyond the limit, so it is cancelled in time to be gone
 * by then. A block lets go by itself, within 50 ms or after a batch, and is given all of the limit.
 */
export const crowdedAfterMs = (sql: string, maxTradeWaitMs: number): number =>
  readBlockLabel(sql) === undefined ? Math.max(1, maxTradeWaitMs - reactionMs) : maxTradeWaitMs;

/** Judges one statement by what is seen of it: whether it has to be cancelled, and what its error means then. */
export class Patience {
  readonly #limits: PatienceLimits;
  /** Somebody was in its way, the last time that it was looked at while it waited. */
  #held: Sight | undefined;
  /** It has waited for too long. */
  #overdue: Sight | undefined;
  /** Others have waited behind it for too long. */
  #crowded: Sight | undefined;

  constructor(limits: PatienceLimits) {
    this.#limits = limits;
  }

  /** True once: now it has to be cancelled. */
  ends(sight: Sight): boolean {
    const { maxWaitMs, maxTradeWaitMs } = this.#limits;
    if (sight.waitingFor.length > 0) this.#held = sight;
    if (this.#overdue !== undefined || this.#crowded !== undefined) return false;
    if (sight.waitingMs >= maxWaitMs) this.#overdue = sight;
    else if (maxTradeWaitMs !== undefined && sight.behindMs >= maxTradeWaitMs) this.#crowded = sight;
    else return false;
    return true;
  }

  /** What is to be thrown for the error of the statement. */
  explain(error: unknown): unknown {
    if (this.#crowded !== undefined && isCancelled(error))
      return new SteppedBack(this.#crowded.behind, this.#crowded.behindMs);
    // A block that tries by itself gives up at the same time as we do: whoever is first, it is told in the same words.
    const gaveUp =
      this.#overdue ?? (this.#limits.triesItself && isLockTimeout(error) ? this.#held : undefined);
    return gaveUp === undefined ? error : waitedTooLong(gaveUp, error, this.#limits.maxWaitMs);
  }
}
