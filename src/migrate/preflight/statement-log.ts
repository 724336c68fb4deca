import { withoutLiterals } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { count } from './check.ts';

/** Statements of others, as far as they can be seen from here. */
export interface StatementLog {
  /** Is pg_stat_statements there to remember them? Else only what sessions run, or have run last, was looked at. */
  readonly isKept: boolean;
  /** Those of other roles, which this role may not read. */
  readonly hidden: number;
  readonly seen: readonly SeenStatement[];
}

interface SeenStatement {
  readonly query: string;
  /** Undefined of one that was seen in a session. */
  readonly calls: number | undefined;
}

/** Which sessions count: those that run the statement now, or also those that have run it last. */
export type Sessions = 'running' | 'running or idle';

/**
 * Statements that match every one of these patterns (PostgreSQL's, of any case): what pg_stat_statements remembers, and
 * what sessions of this database run. What a session has prepared shows to itself alone (pg_prepared_statements).
 */
export async function readStatements(
  connection: Connection,
  patterns: readonly string[],
  sessions: Sessions,
): Promise<StatementLog> {
  const [extension] = await connection.query<{ view: string }>(
    `select format('%I.pg_stat_statements', n.nspname) as view
     from pg_extension as e join pg_namespace as n on n.oid = e.extnamespace
     where e.extname = 'pg_stat_statements'`,
  );
  const kept =
    extension === undefined
      ? []
      : await connection.query<{ query: string; calls: number; hidden: boolean }>(
          `select query, calls, query = '<insufficient privilege>' as hidden
           from ${extension.view}
           where dbid = (select oid from pg_database where datname = current_database())
             and (query = '<insufficient privilege>' or query ~* all($1::text[]))
           order by calls desc
           limit 1000`,
          [[...patterns]],
        );
  const running = await connection.query<{ query: string }>(
    `select distinct query
     from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
       and (state = 'active' or $2) and query ~* all($1::text[])
     limit 1000`,
    [[...patterns], sessions === 'running or idle'],
  );
  const seen = kept.filter((row) => !row.hidden);
  const shown = new Set(seen.map(({ query }) => withoutParameters(query)));
  return {
    isKept: extension !== undefined,
    hidden: kept.length - seen.length,
    seen: [
      ...seen,
      ...running
        .filter(({ query }) => !shown.has(withoutParameters(query)))
        .map(({ query }) => ({ query, calls: undefined })),
    ],
  };
}

/** The log has `$1` where the session's text has a literal. */
const withoutParameters = (query: string): string => withoutLiterals(query).replace(/\$\d+/g, '?');

/** One line each, the most frequent first; then what this role may not see. */
export function describeStatements({ seen, hidden }: StatementLog): string[] {
  const shown = seen.slice(0, 20).map(({ query, calls }) => {
    const often = calls === undefined ? 'in a session now' : count(calls, 'call');
    return `${often}: ${withoutLiterals(query)}`;
  });
  const unseen = `not checked: ${count(hidden, 'statement')} of other roles, hidden from this role`;
  return hidden > 0 ? [...shown, unseen] : shown;
}

/** `, as far as …`: how much of the truth that is. */
export const describeReach = ({ isKept, hidden }: StatementLog): string => {
  if (!isKept) return 'as far as sessions show what they run';
  return `as far as ${hidden > 0 ? 'this role can see' : 'pg_stat_statements remembers'}`;
};

export const notKept = 'pg_stat_statements is not installed in this database';
export const grantHint = ' To see all: grant pg_read_all_stats to this role.';

/** A pattern for a statement that works on one of the tables. */
export const onTables = (tables: readonly string[]): string =>
  `\\m(from|join|into|update|on|table|exists)\\s+(only\\s+)?("?\\w+"?\\.)?"?(${tables.join('|')})"?(\\M|$)`;
