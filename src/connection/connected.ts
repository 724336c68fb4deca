import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';
import { formatDuration } from './units.ts';

/** A session of somebody else on this database, idle or not. */
export interface ConnectedSession {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  /** Null for a client on the server itself, and where this role may not see it. */
  readonly address: string | null;
  readonly state: string | null;
  /** How long its transaction is open; else how long it is in its state. */
  readonly openForMs: number | null;
}

/**
 * Everybody who is connected to this database, but for the caller's own sessions: clients, and workers of a subscription,
 * which write as clients do. What a role may not see of others (without pg_read_all_stats) is null.
 */
export async function listConnected(connection: Connection, isOurs: IsOurs): Promise<ConnectedSession[]> {
  const sessions = await connection.query<ConnectedSession>(
    `select pid, usename::text as role, application_name as application, host(client_addr) as address, state,
            round(extract(epoch from clock_timestamp() - coalesce(xact_start, state_change)) * 1000)::float8 as "openForMs"
     from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       -- Of a session that this role may not look into the kind is hidden; the server's own workers have no user.
       and (coalesce(backend_type, case when usesysid is not null then 'client backend' end)
              in ('client backend', 'walsender')
            or backend_type like 'logical replication%worker')
     order by pid`,
  );
  return sessions.filter((session) => !isOurs(session));
}

/** `pid 4711 (settlement, idle in transaction for 42 s) of role trader from 10.0.0.3` */
export function describeConnected({
  pid,
  role,
  application,
  address,
  state,
  openForMs,
}: ConnectedSession): string {
  const duration = openForMs === null ? '' : ` for ${formatDuration(Math.max(0, openForMs))}`;
  const about = `${application || 'no name'}${state === null ? '' : `, ${state}${duration}`}`;
  return `pid ${pid} (${about})${role === null ? '' : ` of role ${role}`} from ${address ?? 'this server, or hidden'}`;
}

/** Which sessions are the caller's own. */
export type IsOurs = (session: ConnectedSession) => boolean;

/** A session that its client has closed is listed for a moment longer. */
const leavesWithinMs = 1_000;
/** A backend that is told to end does so at once, unless it is busy where it can't look up. */
const endsWithinMs = 10_000;
const pollMs = 20;

/** @throws OperationError `LOCKED` with everybody who is connected */
export async function refuseConnected(connection: Connection, isOurs: IsOurs, advice: string): Promise<void> {
  const giveUpAt = Date.now() + leavesWithinMs;
  for (;;) {
    const sessions = await listConnected(connection, isOurs);
    if (sessions.length === 0) return;
    if (Date.now() > giveUpAt) throw stillConnected(connection, sessions, advice);
    await sleep(pollMs);
  }
}

function stillConnected(
  { target }: Connection,
  sessions: readonly ConnectedSession[],
  advice: string,
): OperationError {
  const count = sessions.length === 1 ? 'one session is' : `${sessions.length} sessions are`;
  return new OperationError({
    code: 'LOCKED',
    message: `${count} connected to ${target}, and could write while it is restored; nothing was changed:\n  ${sessions.map(describeConnected).join('\n  ')}`,
    advice,
  });
}

/**
 * Ends every session but the caller's own, and waits until they are gone; not for those that come meanwhile: a service
 * may connect again faster than anybody can end it. Returns those that it has ended.
 *
 * @throws OperationError `PRIVILEGE_MISSING` a session that this role may not end · `LOCKED` one that does not end
 */
export async function endConnected(connection: Connection, isOurs: IsOurs): Promise<ConnectedSession[]> {
  const sessions = await listConnected(connection, isOurs);
  for (const session of sessions) await endSession(connection, session);
  const pids = new Set(sessions.map(({ pid }) => pid));
  const giveUpAt = Date.now() + endsWithinMs;
  for (let left = sessions; left.length > 0; ) {
    if (Date.now() > giveUpAt) {
      const advice =
        'They were told to end, and are still there. Stop them, then run the same command again.';
      throw stillConnected(connection, left, advice);
    }
    await sleep(pollMs);
    left = (await listConnected(connection, isOurs)).filter(({ pid }) => pids.has(pid));
  }
  return sessions;
}

async function endSession(connection: Connection, session: ConnectedSession): Promise<void> {
  try {
    await connection.query('select pg_terminate_backend($1)', [session.pid]);
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== 'PRIVILEGE_MISSING') throw error;
    throw new OperationError({
      ...error.toJSON(),
      message: `this role may not end ${describeConnected(session)}; nothing was changed`,
      advice:
        'Connect as a member of that role, have pg_signal_backend granted (a superuser’s session takes a superuser), or stop the service.',
    });
  }
}
