import { explainRefusal } from '../core/begin-transaction.ts';
import type { Database, Transaction } from '../core/database.ts';
import { isWorthRetrying, withRetry } from '../core/with-retry.ts';
import { type Claim, claimNext, countAttempt } from './claim-lease.ts';
import { isAbort } from './keep-claim.ts';
import { recordSettlement } from './record-settlement.ts';
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

/** A handle that begins transactions, which begin others (savepoints) themselves. `Tx` is what Drizzle calls them. */
export interface TransactionalDatabase<Tx> extends Database {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}
/** A transaction in which others can begin. */
export type NestingTransaction<Tx> = Transaction & TransactionalDatabase<Tx>;

/** Settles a session in the transaction that has claimed it. */
export type TransactionSettlementHandler<Tx> = (
  /** The session, with the stamp of its claim as `lastSettleAttempt`. */
  session: SessionSummary,
  context: {
    /** The transaction: what is written through it is committed with the result, or not at all. */
    readonly tx: Tx;
    /** Aborts when the worker is to stop. */
    readonly signal: AbortSignal;
  },
) => SettlementResult;

/** Ends a transaction whose session is to be as it was. */
class Stopped extends Error {}

/**
 * Claims a session, has it settled, and records that, in one transaction. The handler has a savepoint of its own: if it
 * throws, what it has written is rolled back, and the claim's stamp is committed all the same. So there is no moment at
 * which the session could be claimed once more before the attempt counts.
 */
export const settleInTransaction =
  <Tx extends NestingTransaction<Tx>>(
    db: TransactionalDatabase<Tx>,
    handler: TransactionSettlementHandler<Tx>,
    { wanted, retryAfterMs, retry, fail }: Worker,
  ): Try =>
  async (stop, onClaimed) => {
    let begun: { claim?: Claim; thrown?: { readonly error: unknown } } = {};
    const settleNext = async (tx: Tx): Promise<Attempt> => {
      const claim = await claimNext(tx, wanted(), retryAfterMs);
      if (claim === undefined) return nothing;
      begun.claim = claim;
      if (stop.aborted) throw new Stopped();
      onClaimed();
      const { session } = claim;
      const result = await inSavepoint(tx, async (inner) =>
        toComplete(await handler(session, { tx: inner, signal: stop })),
      );
      if ('value' in result) {
        await recordSettlement(tx, { sessionId: session.id, complete: result.value });
        return { outcome: result.value ? 'settled' : 'incomplete' };
      }
      if (isAbort(result.error, stop)) throw new Stopped();
      begun.thrown = result;
      // A deadlock and the like is not the handler's fault: the whole transaction begins again.
      if (isWorthRetrying(result.error)) throw result.error;
      await recordSettlement(tx, { sessionId: session.id, complete: false });
      return failedAt(claim, result.error);
    };
    const begin = async (): Promise<Attempt> => {
      begun = {};
      try {
        return await db.transaction(settleNext);
      } catch (error) {
        throw explainRefusal(error, 'settleSessions');
      }
    };
    try {
      return await withRetry(begin, { ...retry, signal: stop });
    } catch (error) {
      const { claim, thrown } = begun;
      const isStopped = error instanceof Stopped || (stop.aborted && error === stop.reason);
      if (isStopped) return claim === undefined ? nothing : released;
      if (claim === undefined) throw error;
      // Rolled back, and the stamp with it: without another the session would be claimed again at once, time after time.
      await withRetry(() => countAttempt(db, claim), retry).catch(fail);
      return failedAt(claim, thrown === undefined ? error : thrown.error);
    }
  };

/** What the work gives or throws, whatever the savepoint says when it is rolled back. */
async function inSavepoint<Tx extends NestingTransaction<Tx>, T>(
  tx: Tx,
  work: (inner: Tx) => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  let thrown: { readonly error: unknown } | undefined;
  try {
    const value = await tx.transaction(async (inner) => {
      try {
        return await work(inner);
      } catch (error) {
        thrown = { error };
        throw error;
      }
    });
    return { value };
  } catch (error) {
    return thrown ?? { error };
  }
}
