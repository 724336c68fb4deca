import { checkInteger } from './arguments.ts';
import { stringAt } from './error-codes.ts';
import { InvalidArgumentError, QueryError, toQueryError } from './errors.ts';
import { defineOptions } from './options.ts';
import { pause } from './pause.ts';
import { checkSignal } from './signal.ts';

/** How often something is tried, and how long the pauses between are. */
export interface RetryOptions {
  /** 1 to 100 in all, the first one with them. */
  readonly attempts?: number | undefined;
  /** The pause after the first attempt is at most this, and after each further one twice as much. 1 to 3,600,000. */
  readonly baseDelayMs?: number | undefined;
  /** No pause is longer. `baseDelayMs` to 3,600,000. */
  readonly maxDelayMs?: number | undefined;
}

export type Retry = { readonly [K in keyof RetryOptions]-?: number };

export const maxAttempts = 100;
/** An hour: whoever waits longer wants a schedule and not a pause. */
export const maxDelayMs = 3_600_000;

/** Contention is over within milliseconds: 0.4 s on average in four pauses. */
export const defaultRetry: Retry = { attempts: 5, baseDelayMs: 50, maxDelayMs: 5_000 };

/** The names of {@link RetryOptions}, for `defineOptions`. */
export const retryNames = { attempts: true, baseDelayMs: true, maxDelayMs: true } as const;

const checkWithRetryOptions = defineOptions<RetryOptions & { readonly signal?: AbortSignal | undefined }>(
  'withRetry',
  { ...retryNames, signal: true },
);

/**
 * Runs work again while it fails with an error that a new try may overcome, and gives what it gives: `isRetryable` of our
 * errors (a deadlock, a serialization failure, a lock that is not to be had, a lost connection, …), and the same of what
 * Drizzle and the drivers throw by themselves, as for a commit that fails. Any other error, and the last one, is thrown as
 * it was. Give it whole transactions: a statement of a transaction that has failed fails again.
 *
 * 5 attempts unless given. Between them it pauses for a time of chance, from nothing to `baseDelayMs` (50), to twice as
 * much after each further attempt, and to `maxDelayMs` (5,000) at most: the "full jitter" of
 * aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter, so that those who got into each other's way don't
 * meet again.
 *
 * A connection that is lost during a commit leaves open whether it was committed. The work then runs once more, so it
 * must do no harm twice: save by id, look first, or count on a unique index. An error like `ECONNRESET` of another network
 * call looks the same as one of the database, and is tried again, too.
 *
 * `signal` ends a pause at once, and no further attempt begins: its reason is thrown. Work that runs is waited for; hand
 * it the same signal.
 *
 * @example
 * const claimed = await withRetry(() => db.transaction((tx) => claimSessionsToSettle(tx, { limit: 10 })));
 * @throws InvalidArgumentError; else what the work throws
 */
export async function withRetry<T>(
  /** Called with the number of the attempt, 1 for the first. */
  work: (attempt: number) => Promise<T>,
  options: RetryOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  checkWithRetryOptions(options);
  const { signal } = options;
  const { attempts, ...delays } = toRetry(options, defaultRetry);
  checkSignal(signal);
  if (typeof work !== 'function') throw new InvalidArgumentError('withRetry takes a function');
  signal?.throwIfAborted();
  let before: { readonly error: unknown } | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      // Somebody tries a statement of a transaction: why that failed was said by the error before.
      if (before !== undefined && isOfFailedTransaction(error)) throw before.error;
      if (attempt === attempts || !isWorthRetrying(error)) throw error;
      before = { error };
    }
    await pause(Math.random() * Math.min(delays.maxDelayMs, delays.baseDelayMs * 2 ** (attempt - 1)), signal);
    signal?.throwIfAborted();
  }
}

/** The options with their defaults, checked. */
export function toRetry(options: RetryOptions, defaults: Retry): Retry {
  const { attempts = defaults.attempts, baseDelayMs = defaults.baseDelayMs } = options;
  const base = checkInteger('baseDelayMs', baseDelayMs, { min: 1, max: maxDelayMs });
  const most = options.maxDelayMs ?? Math.max(base, defaults.maxDelayMs);
  return {
    attempts: checkInteger('attempts', attempts, { min: 1, max: maxAttempts }),
    baseDelayMs: base,
    maxDelayMs: checkInteger('maxDelayMs', most, { min: base, max: maxDelayMs }),
  };
}

/** Whether the same work, in a new transaction, may well succeed. */
export function isWorthRetrying(thrown: unknown): boolean {
  return toDatabaseError(thrown)?.isRetryable === true;
}

const isOfFailedTransaction = (thrown: unknown): boolean =>
  toDatabaseError(thrown)?.code === 'transaction_aborted';

/** An error of ours, or of Drizzle or a driver as one of ours; undefined for what has nothing to do with the database. */
function toDatabaseError(thrown: unknown): QueryError | undefined {
  if (thrown instanceof QueryError) return thrown;
  if (!(thrown instanceof Error) || !(isOfDrizzle(thrown) || isOfDriver(thrown))) return undefined;
  return toQueryError('withRetry', thrown);
}

const isOfDrizzle = (error: Error): boolean => 'params' in error && error.cause !== undefined;

const lostConnection = /^(ECONN[A-Z]+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|CONNECT[A-Z_]+)$/;

/**
 * What begins and ends a transaction is not always sent through Drizzle: postgres.js and PGlite do it by themselves, and
 * a pool connects. By SQLSTATE, by the code of a lost connection, or, as pg and its pool have none for that, by their words.
 */
function isOfDriver(error: Error): boolean {
  const code = stringAt(error, 'code');
  return code === undefined
    ? /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message)
    : /^(?!E[A-Z]{4}$)[0-9A-Z]{5}$/.test(code) || lostConnection.test(code);
}
