import { InvalidArgumentError } from '../core/errors.ts';
import type { Retry } from '../core/with-retry.ts';
import type { Claim } from './claim-lease.ts';
import type { SessionSummary } from './session-summary.ts';
import type { SettlementValues } from './settlement.ts';

/** What a handler gives: false if the session is not settled yet, true or nothing if it is. */
export type SettlementResult = Promise<boolean | undefined> | Promise<void>;

/** What became of one attempt to claim a session and settle it. */
export type Attempt =
  /** There was no session to claim. */
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'settled' | 'incomplete' | 'released' | 'lost' }
  | { readonly outcome: 'failed'; readonly session: SessionSummary; readonly error: unknown };

export const nothing: Attempt = { outcome: 'nothing' };
export const released: Attempt = { outcome: 'released' };

/** What every attempt of a worker needs to know. */
export interface Worker {
  /** Which sessions; made anew for each claim, because a look back moves on. */
  readonly wanted: () => Omit<SettlementValues, 'limit'>;
  readonly retryAfterMs: number;
  readonly retry: Retry;
  /** Told of an error of the database that ends the worker. */
  readonly fail: (error: unknown) => void;
}

/**
 * An attempt. `stop` is its own: nothing is claimed after it has aborted, and the handler is to give up. `onClaimed` is
 * called as soon as there is a session, and the handler begins.
 */
export type Try = (stop: AbortSignal, onClaimed: () => void) => Promise<Attempt>;

export const failedAt = ({ session }: Claim, error: unknown): Attempt => ({
  outcome: 'failed',
  session,
  error,
});

/** A result that is none (an object that says more, in code without types) must not pass for settled. */
export function toComplete(result: unknown): boolean {
  if (result === undefined || result === true) return true;
  if (result === false) return false;
  throw new InvalidArgumentError('the handler of settleSessions must give true, false or nothing');
}
