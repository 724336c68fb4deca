import { withoutLiterals } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { formatDuration, formatTime } from '../../connection/units.ts';

/** A session that holds the migrations' lock and does nothing. */
export interface LeftLock {
  readonly pid: number;
  readonly application: string;
  readonly role: string;
  readonly address: string;
  readonly idleForMs: number;
  readonly idleSinceMs: number;
  readonly statement: string;
}

interface HolderRow {
  readonly pid: number;
  readonly application: string;
  readonly role: string;
  readonly address: string;
  readonly idleForMs: number;
  readonly idleSinceMs: number;
  readonly query: string;
}

/** Between two statements of its own a run is idle for a round trip, and not for longer. */
const leastIdleMs = 1_000;
/** Whoever pastes a file into psql piece by piece looks at the screen in between, but not that long. */
const byHandIdleMs = 60_000;

/** How poolers call the sessions that they hold. */
const poolers = /pgbouncer|supavisor|odyssey|pgcat|pgdog|pgpool|rds ?proxy/i;

/** The engine's own sessions: a run that its operator has paused does nothing, too. */
const ownApplication = 'multi-pair-db';
/** What only a migration says. */
const ownStatement = /multi_pair_db|\bconcurrently\b/i;

/**
 * Of the sessions that hold the lock, those in which no migration runs. After an error in a file, stock drizzle-kit goes
 * away without giving the lock back; the server takes it from a session that ends, but a pooler in transaction mode
 * keeps the session for others, and the lock with it.
 *
 * It shows nothing of other roles' sessions without pg_read_all_stats; those are not called left.
 */
export async function findLeftLocks(connection: Connection, holders: readonly number[]): Promise<LeftLock[]> {
  if (holders.length === 0) return [];
  const rows = await connection.query<HolderRow>(
    `select pid, coalesce(application_name, '') as application, coalesce(usename::text, '') as role,
            coalesce(host(client_addr) || ':' || client_port, 'a socket of its own machine') as address,
            (extract(epoch from clock_timestamp() - state_change) * 1000)::float8 as "idleForMs",
            (extract(epoch from state_change) * 1000)::float8 as "idleSinceMs", query
     from pg_stat_activity
     where pid = any($1::int[]) and state = 'idle' and state_change is not null
     order by state_change`,
    [[...holders]],
  );
  return rows.filter(isLeft).map(({ query, ...row }) => ({ ...row, statement: withoutLiterals(query) }));
}

function isLeft({ application, idleForMs, query }: HolderRow): boolean {
  if (idleForMs < leastIdleMs) return false;
  if (poolers.test(application)) return true;
  if (application === ownApplication) return false;
  return idleForMs >= byHandIdleMs || !ownStatement.test(query);
}

/** What it is, and how to release it. */
export function describeLeftLocks(left: readonly LeftLock[]): { message: string; advice: string } {
  const sessions = left.map(
    ({ pid, application, role, address, idleForMs, idleSinceMs, statement }) =>
      `pid ${pid} (${application || 'name unknown'}), role ${role}, from ${address}, idle for ${formatDuration(idleForMs)} since ${formatTime(idleSinceMs)}, its last statement: ${statement}`,
  );
  return {
    message: `the lock of the migrations was left behind in a session that does nothing: ${sessions.join('; ')}`,
    advice: `Unless somebody works in it by hand, no migration runs there. This is what stock drizzle-kit leaves after an error behind a pooler in transaction mode, which keeps the session. Release the lock: ${left.map(({ pid }) => `select pg_terminate_backend(${pid});`).join(' ')} Then run the same command again.`,
  };
}
