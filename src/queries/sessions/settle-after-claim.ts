import type { Database } from '../core/database.ts';
import { withRetry } from '../core/with-retry.ts';
import { type Claim, claimNext, recordClaimed, releaseClaim } from './claim-lease.ts';
import { keepClaim } from './keep-claim.ts';
import type { SessionSummary } from './session-summary.ts';
import {
  type Attempt,
  failedAt,
  nothing,
  released,
  type SettlementResult,
  type Try,
  toComplete,
  type Worker,
} from './settlement-attempt.ts';

/** Settles a session that is claimed, with no transaction open. */
export type SettlementHandler = (
  /** The session, with the stamp of its claim as `lastSettleAttempt`. */
  session: SessionSummary,
  context: {
    /** Aborts when the worker is to stop, or when the claim is lost (the reason is a `ClaimLostError`). */
    readonly signal: AbortSignal;
  },
) => SettlementResult;

/** Claims a session and commits; then the handler; then its result is recorded, if the claim is still ours. */
export const settleAfterClaim =
  (db: Database, handler: SettlementHandler, worker: Worker): Try =>
  async (stop, onClaimed) => {
    const { retryAfterMs, retry, fail } = worker;
    const claim = await claimUnlessStopped(db, worker, stop);
    if (claim === undefined) return nothing;
    if (stop.aborted) {
      await withRetry(() => releaseClaim(db, claim, claim.stampMs), retry);
      return released;
    }
    onClaimed();
    const kept = await keepClaim(db, claim, { retryAfterMs, stop, fail }, async (signal) =>
      toComplete(await handler(claim.session, { signal })),
    );
    const ifOurs = (attempt: Attempt, isOurs: boolean): Attempt => (isOurs ? attempt : { outcome: 'lost' });
    const record = (complete: boolean) =>
      withRetry(() => recordClaimed(db, claim, kept.stampMs, complete), retry);
    if ('value' in kept) {
      return ifOurs({ outcome: kept.value ? 'settled' : 'incomplete' }, await record(kept.value));
    }
    if (kept.isAbort) {
      return ifOurs(released, await withRetry(() => releaseClaim(db, claim, kept.stampMs), retry));
    }
    // Both count: the handler's error is reported, and this one ends the worker.
    await record(false).catch(fail);
    return failedAt(claim, kept.error);
  };

/** A stop ends the pauses between tries; what the try before said does not matter any more. */
async function claimUnlessStopped(
  db: Database,
  { wanted, retryAfterMs, retry }: Worker,
  stop: AbortSignal,
): Promise<Claim | undefined> {
  try {
    return await withRetry(() => claimNext(db, wanted(), retryAfterMs), { ...retry, signal: stop });
  } catch (error) {
    if (stop.aborted && error === stop.reason) return undefined;
    throw error;
  }
}
