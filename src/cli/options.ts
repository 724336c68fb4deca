import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { OperationError } from '../connection/errors.ts';
import { defaultTimeLimitMs } from '../connection/read-only.ts';
import { defaultLockWaitMs, defaultMaxWaitMs } from '../migrate/run/run.ts';

/**
 * The database to work on: `--url`, else `DATABASE_URL`, also from `.env` in the working directory (which never
 * overrides the environment).
 *
 * @throws OperationError `URL_MISSING`: there is no default, and never a silent embedded run.
 */
export function readUrl(option: unknown): string {
  if (typeof option === 'string' && option !== '') return option;
  if (existsSync('.env')) process.loadEnvFile('.env');
  const fromEnvironment = process.env['DATABASE_URL'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  throw new OperationError({
    code: 'URL_MISSING',
    message: 'no database is named',
    advice:
      'Give --url postgres://user@host:5432/database (or pglite:DIR), or set DATABASE_URL in the environment or in .env.',
  });
}

/** For commands that take the migrations' lock. */
export function addWaitOptions(command: Command): void {
  command
    .option(
      '--lock-wait <seconds>',
      `wait so long for another run of this program to end (default: ${defaultLockWaitMs / 1_000})`,
      parseSeconds,
    )
    .option(
      '--max-wait <seconds>',
      `let a statement wait so long for transactions of others (default: ${defaultMaxWaitMs / 1_000})`,
      parseSeconds,
    );
}

/** What `addWaitOptions` has read, in milliseconds. */
export function readWaitOptions(options: Readonly<Record<string, unknown>>): {
  lockWaitMs: number;
  maxWaitMs: number;
} {
  const { lockWait, maxWait } = options;
  return {
    lockWaitMs: typeof lockWait === 'number' ? lockWait * 1_000 : defaultLockWaitMs,
    maxWaitMs: typeof maxWait === 'number' ? maxWait * 1_000 : defaultMaxWaitMs,
  };
}

/** For commands that only check. */
export function addTimeLimitOption(command: Command): void {
  command.option(
    '--time-limit <seconds>',
    `cut each statement short after so long, and say so; 0 is no limit (default: ${defaultTimeLimitMs / 1_000})`,
    parseSeconds,
  );
}

/** What `addTimeLimitOption` has read, in milliseconds. */
export function readTimeLimit({ timeLimit }: Readonly<Record<string, unknown>>): number {
  return typeof timeLimit === 'number' ? timeLimit * 1_000 : defaultTimeLimitMs;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0) {
    throw new InvalidArgumentError('It has to be a number of seconds, 0 or more.');
  }
  return seconds;
}

/** For options that are a number of things, 0 or more. */
export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number, 0 or more.');
  return Number(text);
}

/** Refuses two switches that contradict one another. */
export function refuseTogether(options: Readonly<Record<string, unknown>>, one: string, other: string): void {
  if (options[one] === undefined || options[other] === undefined) return;
  const flag = (name: string): string =>
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new OperationError({
    code: 'USAGE',
    message: `${flag(one)} and ${flag(other)} can’t be given together`,
    advice: 'Choose one of them.',
  });
}

const ageUnitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90m`, `24h`, `7d`, in milliseconds. */
export function parseAge(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const unitMs = ageUnitsMs[unit];
  if (unitMs === undefined) throw new InvalidArgumentError('It has to be an age such as 90m, 24h or 7d.');
  return Number(number) * unitMs;
}
