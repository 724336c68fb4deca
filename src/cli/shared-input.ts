import { defaultTimeLimitMs } from '../connection/read-only.ts';
import {
  defaultLockWaitMs,
  defaultMaxReplicaLagMs,
  defaultMaxTradeWaitMs,
  defaultMaxWaitMs,
} from '../migrate/run/options.ts';
import { flag, value, valueWithDefault } from './parameters.ts';
import { seconds, text, wholeNumber } from './parsers.ts';

/** What every command has; the program adds it. */
export const commonInput = {
  url: value(
    '--url <url>',
    'the database: postgres://…, or pglite:DIR (default: DATABASE_URL, also from .env)',
    text,
  ),
  json: flag('--json', 'print one JSON document on standard output, and nothing else'),
};

/** For commands that take the migrations' lock. The names are those of the migrator's own options. */
export const waitInput = {
  lockWaitMs: valueWithDefault(
    '--lock-wait <seconds>',
    'how long to wait for another run of this program to end',
    seconds,
    String(defaultLockWaitMs / 1_000),
  ),
  maxWaitMs: valueWithDefault(
    '--max-wait <seconds>',
    'how long a statement may wait for transactions of others',
    seconds,
    String(defaultMaxWaitMs / 1_000),
  ),
};

/** For commands that build or change what services use. */
export const tradeInput = {
  maxTradeWaitMs: valueWithDefault(
    '--max-trade-wait <ms>',
    'step back and try again later where somebody waits longer behind a statement',
    wholeNumber(50, 60_000),
    String(defaultMaxTradeWaitMs),
  ),
  maxReplicaLagMs: valueWithDefault(
    '--max-replica-lag <seconds>',
    'rest between two batches or builds while a standby lags further behind; 0 asks none',
    seconds,
    String(defaultMaxReplicaLagMs / 1_000),
  ),
};

/** For commands that only check. */
export const timeLimitInput = {
  timeLimitMs: valueWithDefault(
    '--time-limit <seconds>',
    'cancel a statement that takes longer, and say so; 0 is no limit',
    seconds,
    String(defaultTimeLimitMs / 1_000),
  ),
};
