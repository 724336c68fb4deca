import { type Database, isTransaction } from '../core/database.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { type SettlementHandler, settleAfterClaim } from './settle-after-claim.ts';
import {
  type NestingTransaction,
  settleInTransaction,
  type TransactionalDatabase,
  type TransactionSettlementHandler,
} from './settle-in-transaction.ts';
import { type ModeOption, type SettleSessionsOptions, toSettings } from './settle-options.ts';
import type { Try, Worker } from './settlement-attempt.ts';
import { runAttempts, type SettlementCounts, Stop } from './settlement-loop.ts';

/** A handle, and no transaction. */
type NotInTransaction = { readonly rollback?: undefined };

/**
 * A worker's main loop: claims the sessions that await settlement, one after the other as {@link claimSessionsToSettle}
 * orders them, has the handler settle each, and records what it gives: true or nothing is settled, false is not yet. Up to
 * `concurrency` handlers are at work at once. Any number of workers share the sessions, in as many processes as you like,
 * if all have the same `retryAfterMs`. Goes on until `signal` aborts, or with `whenIdle: 'end'` until there is nothing to
 * claim; then resolves with counts.
 *
 * **The handler after the claim** (unless `transaction` is true): a claim is committed before its handler begins, and no
 * transaction is open while it works. The claim is a stamp, `lastSettleAttempt`, which is renewed three times in
 * `retryAfterMs` while the handler works, however long that takes. If the process dies, the session can be claimed again
 * `retryAfterMs` after that. If the stamp is changed by anybody else (this includes `recordSettlement` in the handler, and
 * a service that writes the column), or can't be renewed in time, the claim is lost: the handler's signal aborts, and what
 * it gives is recorded only if the stamp is still ours. So two handlers are never at one session, provided that they give
 * up when their signal aborts, and don't block the event loop for longer. One that ends after its database is gone may run twice: let it do no harm twice.
 *
 * **The handler in the transaction** (`transaction: true`): claim, handler and record are one transaction, and the claim is
 * its row lock. What the handler writes through `tx` is committed with the result, or not at all; if the process dies,
 * the session can be claimed at once. Write to it through `tx` alone, or the handler waits for itself for ever. For handlers
 * that take seconds and work in the database: each holds a connection, so the pool needs more than `concurrency` of them, and
 * the lock keeps other writers of the session waiting. A deadlock and the like begins the whole transaction again, the
 * handler included. If the connection is lost, so is the lock, and the handler is not told before it uses `tx`.
 *
 * **A handler that throws** gives its session back: it counts as an attempt, as false does. `settledComplete` is false, and
 * `lastSettleAttempt` the instant of the claim, or of its last renewal; with `transaction`, of the record. It is claimed
 * again when that is `retryAfterMs` ago, and then after all that were never tried or not for longer. So one that fails time
 * and again neither keeps others waiting nor is tried without a pause. `onError` is told, and the worker goes on. Without
 * `onError`, or where that throws, the worker ends: no new claim, the other handlers' signals abort, and when all have
 * ended the error is thrown as it was; several as one `AggregateError`.
 *
 * **A stop** (`signal`): no new claim; the handlers' signals abort with the same reason. A handler that then throws that
 * reason, an `AbortError`, or an error that has one as its cause, has given up: its session is as if it had not been claimed
 * (`lastSettleAttempt` as before), and the next worker may claim it at once. One that ends in any other way counts as always.
 * A handler that ignores its signal is waited for, and its claim is kept: set it a limit of your own, such as
 * `AbortSignal.any([signal, AbortSignal.timeout(60_000)])`.
 *
 * **Errors of the database** in what the worker itself sends are tried again as {@link withRetry} does, by `retry`; what
 * remains ends the worker as above.
 *
 * Relies on `idx_sessions_settlement_discovery` for the claims, each of which reads all sessions that await settlement in the
 * given time, and on the primary key for the rest.
 *
 * @example
 * const stop = new AbortController();
 * process.once('SIGTERM', () => stop.abort());
 * const counts = await settleSessions(
 *   db,
 *   async (session, { signal }) => {
 *     signal.throwIfAborted();
 *     return !(await hasOpenSells(db, { sessionId: session.id }));
 *   },
 *   { concurrency: 4, signal: stop.signal, onError: (error, { id }) => console.error(id, error) },
 * );
 * // In one transaction each, until nothing is left:
 * await settleSessions(
 *   db,
 *   async ({ id }, { tx }) => void (await setSessionStatus(tx, { sessionId: id, status: 'settled' })),
 *   { transaction: true, whenIdle: 'end' },
 * );
 * @throws InvalidArgumentError, DatabaseError; without `onError` also what a handler throws
 */
export function settleSessions(
  db: Database & NotInTransaction,
  handler: SettlementHandler,
  options?: SettleSessionsOptions & { readonly transaction?: false | undefined },
): Promise<SettlementCounts>;
export function settleSessions<Tx extends NestingTransaction<Tx>>(
  db: TransactionalDatabase<Tx> & NotInTransaction,
  handler: TransactionSettlementHandler<Tx>,
  options: SettleSessionsOptions & { readonly transaction: true },
): Promise<SettlementCounts>;
export async function settleSessions<Tx extends NestingTransaction<Tx>>(
  db: (Database | TransactionalDatabase<Tx>) & NotInTransaction,
  handler: SettlementHandler | TransactionSettlementHandler<Tx>,
  options: SettleSessionsOptions & ModeOption = {},
): Promise<SettlementCounts> {
  const { loop, isOneTransaction, signal, ...settings } = toSettings(options);
  if (typeof handler !== 'function') throw new InvalidArgumentError('settleSessions takes a function second');
  if (isTransaction(db)) {
    throw new InvalidArgumentError('settleSessions takes a handle and no transaction: it commits each claim');
  }
  const begin = isOneTransaction ? checkTransactional<Tx>(db) : undefined;
  const stop = new Stop(signal);
  const worker: Worker = { ...settings.worker, fail: stop.fail };
  // Handle, handler and option go together: the overloads say so.
  const attempt: Try =
    begin === undefined
      ? settleAfterClaim(db, handler as SettlementHandler, worker)
      : settleInTransaction(begin, handler as TransactionSettlementHandler<Tx>, worker);
  return runAttempts(attempt, stop, loop);
}

function checkTransactional<Tx>(db: Database | TransactionalDatabase<Tx>): TransactionalDatabase<Tx> {
  const isHandle = typeof db === 'object' && db !== null && 'transaction' in db;
  if (isHandle && typeof db.transaction === 'function') return db;
  throw new InvalidArgumentError('settleSessions: this handle begins no transactions');
}
