import { checkBoolean, checkInteger } from '../core/arguments.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { defineOptions } from '../core/options.ts';
import { checkSignal } from '../core/signal.ts';
import { type Retry, type RetryOptions, retryNames, toRetry } from '../core/with-retry.ts';
import type { SessionSummary } from './session-summary.ts';
import { type SettlementFilter, toSettlementValues } from './settlement.ts';
import type { Worker } from './settlement-attempt.ts';
import { defaultRetryAfterMs } from './settlement-claims.ts';
import type { Loop } from './settlement-loop.ts';

export const maxConcurrency = 100;
/** A claim must outlast a few round trips by far, or it is lost to a network that is slow for a moment. */
export const minRetryAfterMs = 1_000;
/** A day. */
export const maxRetryAfterMs = 86_400_000;
export const minIdleDelayMs = 10;
export const maxIdleDelayMs = 3_600_000;

const defaultIdleDelayMs = 5_000;
/** 66 s on average in all: a server restarts within that. */
export const defaultWorkerRetry: Retry = { attempts: 20, baseDelayMs: 100, maxDelayMs: 10_000 };

/** How a worker goes about it. */
export type SettleSessionsOptions = SettlementFilter & {
  /** How many sessions are settled at once: 1 to 100, 1 unless given. */
  readonly concurrency?: number | undefined;
  /** 1,000 to 86,400,000: 300,000 (five minutes) unless given. The same for all workers. */
  readonly retryAfterMs?: number | undefined;
  /** Of what the worker itself asks of the database. 20 attempts, 100 ms and 10,000 ms unless given. */
  readonly retry?: RetryOptions | undefined;
  /** Told of each handler that throws. Without it, the first such error ends the worker. */
  readonly onError?: ((error: unknown, session: SessionSummary) => void | Promise<void>) | undefined;
  /** Stops the worker. */
  readonly signal?: AbortSignal | undefined;
} & (
    | {
        /** Where there is nothing to claim: `'wait'` and ask again, unless given. */
        readonly whenIdle?: 'wait' | undefined;
        /** How long to wait: 10 to 3,600,000, 5,000 unless given. */
        readonly idleDelayMs?: number | undefined;
      }
    | {
        /** Or `'end'`: for a run from time to time. */
        readonly whenIdle: 'end';
        readonly idleDelayMs?: undefined;
      }
  );

/** And in which way. */
export type ModeOption = { readonly transaction?: boolean | undefined };

const checkOptions = defineOptions<SettleSessionsOptions & ModeOption>('settleSessions', {
  lookbackHours: true,
  startedAfterMs: true,
  pair: true,
  exchange: true,
  concurrency: true,
  retryAfterMs: true,
  retry: true,
  onError: true,
  signal: true,
  whenIdle: true,
  idleDelayMs: true,
  transaction: true,
});
const checkRetryOptions = defineOptions<RetryOptions>('retry of settleSessions', retryNames);

/** The options, checked, with their defaults. */
export function toSettings(options: SettleSessionsOptions & ModeOption): {
  readonly loop: Loop;
  readonly worker: Omit<Worker, 'fail'>;
  readonly isOneTransaction: boolean;
  readonly signal: AbortSignal | undefined;
} {
  checkOptions(options);
  const { concurrency = 1, onError, retryAfterMs = defaultRetryAfterMs, retry = {}, signal } = options;
  if (onError !== undefined && typeof onError !== 'function') {
    throw new InvalidArgumentError('onError must be a function');
  }
  checkRetryOptions(retry);
  checkSignal(signal);
  const wanted = (): ReturnType<Worker['wanted']> => toSettlementValues(toFilter(options));
  // What is wrong with it is said now, and not by the first claim.
  wanted();
  return {
    loop: {
      concurrency: checkInteger('concurrency', concurrency, { min: 1, max: maxConcurrency }),
      idleDelayMs: toIdleDelay(options),
      onError,
    },
    worker: {
      wanted,
      retryAfterMs: checkInteger('retryAfterMs', retryAfterMs, {
        min: minRetryAfterMs,
        max: maxRetryAfterMs,
      }),
      retry: toRetry(retry, defaultWorkerRetry),
    },
    isOneTransaction: checkBoolean('transaction', options.transaction ?? false),
    signal,
  };
}

function toFilter({
  lookbackHours,
  startedAfterMs,
  pair,
  exchange,
}: SettleSessionsOptions): SettlementFilter {
  return startedAfterMs === undefined
    ? { lookbackHours, pair, exchange }
    : { startedAfterMs, lookbackHours, pair, exchange };
}

function toIdleDelay({ whenIdle = 'wait', idleDelayMs }: SettleSessionsOptions): number | undefined {
  if (whenIdle !== 'wait' && whenIdle !== 'end') {
    throw new InvalidArgumentError("whenIdle must be 'wait' or 'end'");
  }
  if (whenIdle === 'wait') {
    return checkInteger('idleDelayMs', idleDelayMs ?? defaultIdleDelayMs, {
      min: minIdleDelayMs,
      max: maxIdleDelayMs,
    });
  }
  if (idleDelayMs !== undefined) throw new InvalidArgumentError("whenIdle: 'end' takes no idleDelayMs");
  return undefined;
}
