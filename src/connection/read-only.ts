import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';
import { formatDuration } from './units.ts';

/**
 * Runs `read` in a transaction that could not write if it tried. Definitions are compared as text, so identifiers are
 * quoted as everywhere else, whatever the role has set.
 */
export async function inReadOnlyTransaction<Result>(
  connection: Connection,
  read: () => Promise<Result>,
): Promise<Result> {
  await connection.execute('begin transaction isolation level repeatable read, read only');
  try {
    await connection.query("select set_config('quote_all_identifiers', 'off', true)");
    return await read();
  } finally {
    await connection.execute('rollback');
  }
}

/** How long one statement of a check may take, unless the caller says otherwise: 60 s. */
export const defaultTimeLimitMs = 60_000;

/** What every command that only checks can be given. */
export interface CheckOptions {
  /** The longest that one statement may take, ms (default 60 000; 0 is no limit). A check that is cut short says so. */
  readonly timeLimitMs?: number | undefined;
  /** Cancels the running statement on the server, and ends the checks with `INTERRUPTED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs checks in one transaction that could not write if it tried, on one snapshot, and ends it whatever happens.
 *
 * The limit on each statement replaces the role's own: a role limited to 1 s could not be told how its database is,
 * and a role without any must not be held by a check for an hour. Row-level security is switched off, which makes
 * PostgreSQL refuse a query whose rows a policy would hide: a count of what is visible would be a lie.
 */
export async function inCheckTransaction<Result>(
  connection: Connection,
  { timeLimitMs = defaultTimeLimitMs, signal }: CheckOptions,
  work: (scope: CheckScope) => Promise<Result>,
): Promise<Result> {
  const cancel = (): void => {
    // Where there is nothing to cancel any more, or no way to, the next check is not begun.
    connection.cancel().catch(() => {});
  };
  signal?.addEventListener('abort', cancel);
  try {
    return await inReadOnlyTransaction(connection, async () => {
      await connection.query(
        `select set_config('statement_timeout', $1, true), set_config('row_security', 'off', true),
                set_config('lock_timeout', '1s', true)`,
        [`${Math.ceil(timeLimitMs)}ms`],
      );
      return work({ connection, timeLimitMs, signal });
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** Where a check is made. */
export interface CheckScope {
  readonly connection: Connection;
  readonly timeLimitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Why a check could not be made; a privilege is missing, or it was cut short. */
export interface Unchecked {
  readonly reason: string;
}

/**
 * Runs one check inside such a transaction. Where PostgreSQL refuses the check itself, or cuts it short, the reason
 * comes back and the transaction goes on.
 */
export async function attempt<Result>(
  { connection, timeLimitMs, signal }: CheckScope,
  check: () => Promise<Result>,
): Promise<{ readonly result: Result } | Unchecked> {
  refuseInterrupted(signal);
  await connection.execute('savepoint one_check');
  try {
    const result = await check();
    await connection.execute('release savepoint one_check');
    return { result };
  } catch (error) {
    refuseInterrupted(signal);
    // Without an SQLSTATE it is no answer of PostgreSQL but a lost connection, or a fault of ours.
    if (!(error instanceof OperationError) || error.sqlState === undefined) throw error;
    await connection.execute('rollback to savepoint one_check');
    return { reason: explain(error, timeLimitMs) };
  }
}

function refuseInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new OperationError({
    code: 'INTERRUPTED',
    message: 'interrupted; a check changes nothing',
    advice: 'Run the same command again.',
  });
}

function explain({ sqlState, serverMessage, message }: OperationError, timeLimitMs: number): string {
  switch (sqlState) {
    case '57014':
      return `it took longer than ${formatDuration(timeLimitMs)}, and was cut short`;
    case '55P03':
      return 'another session holds the table locked';
    default:
      return `PostgreSQL said ${sqlState}: ${(serverMessage ?? message).split('\n')[0]}`;
  }
}
