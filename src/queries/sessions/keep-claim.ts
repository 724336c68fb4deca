import type { Database } from '../core/database.ts';
import { ClaimLostError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import { unlessAborted } from '../core/signal.ts';
import { withRetry } from '../core/with-retry.ts';
import { type Claim, renewClaim } from './claim-lease.ts';

/** What became of work, and the stamp of its claim in the end. */
export type Kept<T> = { readonly stampMs: number } & (
  | { readonly value: T }
  /** `isAbort`: the work has given up because its signal has aborted. */
  | { readonly error: unknown; readonly isAbort: boolean }
);

/** What the keeping of a claim needs to know. */
export interface Keeping {
  /** How old a stamp may be before somebody else claims the session. */
  readonly retryAfterMs: number;
  /** Aborts the work's signal. The claim is kept until the work has ended all the same. */
  readonly stop: AbortSignal;
  /** Told of an error that no further try overcomes: the claims can't be kept. */
  readonly fail: (error: unknown) => void;
}

/**
 * Does work while its claim is renewed, three times in the time that the claim lasts. The work's signal aborts if the claim
 * is found to be somebody else's; and if none of the renewals came through, before the claim runs out, by our own clock:
 * the way to the database may be gone, and so may the news.
 */
export async function keepClaim<T>(
  db: Database,
  claim: Claim,
  { retryAfterMs, stop, fail }: Keeping,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Kept<T>> {
  const told = new AbortController();
  const ended = new AbortController();
  const tell = (): void => told.abort(stop.reason);
  stop.addEventListener('abort', tell, { once: true });
  if (stop.aborted) tell();
  const lose = (reason: unknown): void => told.abort(reason);
  const renewals = renewUntil(ended.signal, db, claim, retryAfterMs, { lose, fail });
  let outcome: { readonly value: T } | { readonly error: unknown; readonly isAbort: boolean };
  try {
    outcome = { value: await work(told.signal) };
  } catch (error) {
    outcome = { error, isAbort: isAbort(error, told.signal) };
  }
  stop.removeEventListener('abort', tell);
  ended.abort();
  // One may be under way: only its answer says which stamp is ours.
  return { ...outcome, stampMs: await renewals };
}

/** Renews a claim until the work has ended, or the claim is lost or in doubt; gives the last stamp that was ours. */
async function renewUntil(
  ended: AbortSignal,
  db: Database,
  claim: Claim,
  retryAfterMs: number,
  { lose, fail }: { readonly lose: (reason: unknown) => void; readonly fail: Keeping['fail'] },
): Promise<number> {
  const everyMs = Math.floor(retryAfterMs / 3);
  const doubt = new AbortController();
  // Half of a third early, so that the work has the time to give up.
  const doubtAfter = (sentAtMs: number) =>
    setTimeout(
      () => doubt.abort(new ClaimLostError('the claim of this session could not be renewed in time')),
      Math.max(0, sentAtMs + retryAfterMs - everyMs / 2 - performance.now()),
    );
  let { stampMs, sentAtMs } = claim;
  let timer = doubtAfter(sentAtMs);
  const pauses = {
    attempts: 100,
    baseDelayMs: Math.min(everyMs, 100),
    maxDelayMs: Math.min(everyMs, 10_000),
  };
  try {
    for (;;) {
      await pause(everyMs, ended);
      if (ended.aborted) return stampMs;
      const renewed = await unlessAborted(doubt.signal, () =>
        withRetry(
          () => {
            sentAtMs = performance.now();
            return renewClaim(db, claim, stampMs);
          },
          { ...pauses, signal: ended },
        ),
      );
      if (renewed === undefined) {
        lose(
          new ClaimLostError('the claim of this session is lost: its lastSettleAttempt is no longer ours'),
        );
        return stampMs;
      }
      stampMs = renewed;
      clearTimeout(timer);
      timer = doubtAfter(sentAtMs);
    }
  } catch (error) {
    // The pause between two tries was ended with the work: what comes next says whether the database is there.
    if (ended.aborted && error === ended.reason) return stampMs;
    lose(error);
    if (!doubt.signal.aborted) fail(error);
    return stampMs;
  } finally {
    clearTimeout(timer);
  }
}

/** How deep causes are looked at: nobody nests them deeper, unless in a circle. */
const maxCauses = 10;

/** Whether an error says that a signal has aborted: by its reason, or as Node puts it, however often wrapped. */
export function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  let error = thrown;
  for (let depth = 0; depth < maxCauses; depth++) {
    if (error === signal.reason) return true;
    if (!(error instanceof Error)) return false;
    if (error.name === 'AbortError') return true;
    error = error.cause;
  }
  return false;
}
