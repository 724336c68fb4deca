import type { Connection } from './connection.ts';
import { formatDuration } from './units.ts';

/** Another session, as `pg_stat_activity` shows it. Without pg_read_all_stats, sessions of other roles show less. */
export interface SessionActivity {
  /** 0 is a prepared transaction, which has no process. */
  readonly pid: number;
  readonly application: string | null;
  readonly user: string | null;
  /** Address of its client; null: a local one, or hidden from this role. */
  readonly client: string | null;
  /** `active`, `idle in transaction`, … */
  readonly state: string | null;
  /** How long its transaction is open; else how long it is in its state. */
  readonly openForMs: number | null;
  /** Its last statement, literals replaced by `?`. */
  readonly statement: string | null;
}

interface ActivityRow extends Omit<SessionActivity, 'statement'> {
  readonly query: string | null;
}

/** The sessions with these process ids. Those that have ended meanwhile are left out. */
export async function listSessions(
  connection: Connection,
  pids: readonly number[],
): Promise<SessionActivity[]> {
  if (pids.length === 0) return [];
  const rows = await connection.query<ActivityRow>(
    `select pid, application_name as application, usename::text as "user", host(client_addr) as client, state,
            round(extract(epoch from clock_timestamp() - coalesce(xact_start, state_change)) * 1000)::float8 as "openForMs",
            query
     from pg_stat_activity
     where pid = any($1::int[])
     order by coalesce(xact_start, state_change)`,
    [[...new Set(pids)]],
  );
  const sessions = rows.map(({ query, ...session }) => ({
    ...session,
    statement: query === null ? null : withoutLiterals(query),
  }));
  return pids.includes(0) ? [...sessions, preparedTransaction] : sessions;
}

/** What `pg_blocking_pids` shows as 0. */
const preparedTransaction: SessionActivity = {
  pid: 0,
  application: 'prepared transaction, see pg_prepared_xacts',
  user: null,
  client: null,
  state: null,
  openForMs: null,
  statement: null,
};

/** Sessions that hold a lock on one of the tables, the oldest transaction first. */
export async function listTableHolders(
  connection: Connection,
  tables: readonly string[],
  exceptPids: readonly number[],
): Promise<SessionActivity[]> {
  const rows = await connection.query<{ pid: number }>(
    `select distinct coalesce(pid, 0) as pid
     from pg_locks
     where locktype = 'relation' and granted and relation in (select to_regclass(name) from unnest($1::text[]) as name)
       and database = (select oid from pg_database where datname = current_database())
       and not coalesce(pid, 0) = any($2::int[])`,
    [[...tables], [...exceptPids]],
  );
  return listSessions(
    connection,
    rows.map((row) => row.pid),
  );
}

/**
 * `pid 4711 (settlement, role app, from 10.0.3.7, idle in transaction for 42 s): update sessions set …`
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * await applyMigrations(connection, {
 *   onProgress: (event) => {
 *     if (event.kind === 'waiting') console.error(event.for.map(describeSession).join('; '));
 *   },
 * });
 */
export function describeSession(session: SessionActivity): string {
  const { pid, application, user, client, state, openForMs, statement } = session;
  const about = [
    application || (user ? undefined : 'name unknown'),
    user ? `role ${user}` : undefined,
    client === null ? undefined : `from ${client}`,
    state === null ? undefined : `${state}${openForMs === null ? '' : ` for ${formatDuration(openForMs)}`}`,
  ];
  const words = about.filter((word) => word !== undefined).join(', ');
  return `pid ${pid} (${words})${statement ? `: ${statement}` : ''}`;
}

/** What ends what these sessions do, to copy; the gentle way first. Prepared transactions have no process. */
export function endingCommands(sessions: readonly SessionActivity[]): string {
  const pids = sessions.filter(({ pid }) => pid !== 0).map(({ pid }) => pid);
  const commands = pids.map((pid) => {
    const isIdle = sessions.some((session) => session.pid === pid && session.state?.startsWith('idle'));
    // What is idle runs no statement that could be cancelled.
    return `select ${isIdle ? 'pg_terminate_backend' : 'pg_cancel_backend'}(${pid});`;
  });
  return commands.join(' ');
}

/** What to do about sessions that are in the way, in the same words wherever they are. */
export function adviseToEnd(sessions: readonly SessionActivity[]): string {
  const them = sessions.length === 1 ? 'it' : 'them';
  const commands = endingCommands(sessions);
  return commands === '' ? `Let ${them} end.` : `Let ${them} end, or end ${them}: ${commands}`;
}

export const describeSessions = (sessions: readonly SessionActivity[]): string =>
  sessions.map(describeSession).join('; ') || 'nobody any more';

const statementCharacters = 120;

/**
 * Strings, dollar-quoted texts, comments and numbers, in PostgreSQL's spelling. The server cuts long statements off, so
 * each of them may also end with the text.
 */
const literals =
  /\be'(?:\\.|''|[^'\\])*(?:'|$)|'(?:''|[^'])*(?:'|$)|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:""|[^"])*(?:"|$)|(?<![\w$.])\d[\w.]*/gi;

/** A statement of somebody else as one line, with every literal replaced by `?`: it may hold orders, keys, names. */
export function withoutLiterals(statement: string): string {
  const text = statement
    .replace(literals, (found) => {
      if (found.startsWith('"')) return found;
      return found.startsWith('--') || found.startsWith('/*') ? ' ' : '?';
    })
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > statementCharacters ? `${text.slice(0, statementCharacters)} …` : text;
}
