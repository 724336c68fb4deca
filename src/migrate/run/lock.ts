import { setTimeout as sleep } from 'node:timers/promises';
import { describeSessions, listSessions, type SessionActivity } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { formatDuration } from '../../connection/units.ts';
import { describeLeftLocks, findLeftLocks } from './left-lock.ts';

/** The one lock of a database's migrations. The migration files take the same one, so stock drizzle-kit meets it too. */
const key = "hashtextextended('multi-pair-db', 0)";

/** Between two tries; the jitter keeps twenty runners from asking in step. */
const pollMs = { least: 150, jitter: 200 };

export interface LockOptions {
  /** How long to wait for another run to end. */
  readonly lockWaitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: ((holders: readonly SessionActivity[], waitedMs: number) => void) | undefined;
}

/**
 * Takes the migrations' advisory lock for the session. It polls: a blocking call would hold a snapshot that a build
 * CONCURRENTLY of the lock's holder waits for, and both would wait for ever.
 *
 * @throws OperationError `LOCKED` with who holds it, once `lockWaitMs` are over.
 */
export async function takeLock(connection: Connection, options: LockOptions): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    const [row] = await connection.query<{ taken: boolean }>(`select pg_try_advisory_lock(${key}) as taken`);
    if (row?.taken === true) return;
    const waitedMs = Date.now() - startedAt;
    const holders = await listLockHolders(connection);
    if (waitedMs >= options.lockWaitMs) {
      throw await heldTooLong(connection, holders, waitedMs);
    }
    options.onWait?.(holders, waitedMs);
    const pauseMs = pollMs.least + Math.random() * pollMs.jitter;
    await sleep(Math.min(pauseMs, Math.max(1, options.lockWaitMs - waitedMs)));
    if (options.signal?.aborted === true) {
      throw new OperationError({
        code: 'INTERRUPTED',
        message: 'interrupted while another migration of this database was running; nothing was changed',
        advice: 'Run the same command again when the other one has ended.',
      });
    }
  }
}

async function heldTooLong(
  connection: Connection,
  holders: readonly SessionActivity[],
  waitedMs: number,
): Promise<OperationError> {
  const left = await findLeftLocks(
    connection,
    holders.map(({ pid }) => pid),
  );
  const waited = `waited ${formatDuration(waitedMs)}, nothing was changed`;
  if (left.length > 0) {
    const { message, advice } = describeLeftLocks(left);
    // Nobody will give it back: to wait and try again is no way out.
    return new OperationError({
      code: 'LOCKED',
      message: `${message}; ${waited}`,
      advice,
      isRetryable: false,
    });
  }
  return new OperationError({
    code: 'LOCKED',
    message: `another migration of this database is running; ${waited}. The lock is held by ${describeSessions(holders)}`,
    advice: 'Wait until it has ended, then run the same command again. --lock-wait waits longer.',
  });
}

/** Gives the lock back, however often this session (or a file in it) has taken it. */
export async function releaseLock(connection: Connection): Promise<void> {
  for (let held = true; held; ) {
    const [row] = await connection.query<{ held: boolean }>(
      // Asked first, because giving back what is not held is a warning of the server.
      `select case when exists (
         select from pg_locks
         where locktype = 'advisory' and pid = pg_backend_pid() and granted and objsubid = 1
           and (classid::bigint << 32) | objid::bigint = ${key})
       then pg_advisory_unlock(${key}) else false end as held`,
    );
    held = row?.held === true;
  }
}

/** Who holds the migrations' lock of this database. */
export async function listLockHolders(connection: Connection): Promise<SessionActivity[]> {
  const rows = await connection.query<{ pid: number }>(
    `select pid from pg_locks
     where locktype = 'advisory' and granted and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())
       and (classid::bigint << 32) | objid::bigint = ${key}`,
  );
  return listSessions(
    connection,
    rows.map((row) => row.pid),
  );
}
