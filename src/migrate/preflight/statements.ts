import { withoutLiterals } from '../../connection/activity.ts';
import { type Check, count } from './check.ts';

interface Statement {
  readonly query: string;
  readonly calls: number;
}

export const selectStar: Check = {
  id: 'select-star',
  why: 'a service that selects * gets the new columns; one that reads them by position may break',
  look: async ({ connection, tables }) => {
    const [extension] = await connection.query<{ view: string }>(
      `select format('%I.pg_stat_statements', n.nspname) as view
       from pg_extension as e join pg_namespace as n on n.oid = e.extnamespace
       where e.extname = 'pg_stat_statements'`,
    );
    if (extension === undefined)
      return { level: 'skipped', found: 'not checked: pg_stat_statements is not installed in this database' };
    const rows = await connection.query<Statement & { hidden: boolean }>(
      `select query, calls,
              query = '<insufficient privilege>' as hidden
       from ${extension.view}
       where dbid = (select oid from pg_database where datname = current_database())
         and (query = '<insufficient privilege>'
           or (query ~* '\\m(select|returning)\\s+(distinct\\s+)?("?\\w+"?\\.)?\\*'
             and query ~* $1))
       order by calls desc
       limit 1000`,
      [`\\m(from|join|into|update)\\s+(only\\s+)?("?\\w+"?\\.)?"?(${tables.join('|')})"?\\M`],
    );
    const hidden = rows.filter((row) => row.hidden).length;
    const seen = rows.filter((row) => !row.hidden);
    const details = [
      ...seen.slice(0, 20).map(({ query, calls }) => `${count(calls, 'call')}: ${withoutLiterals(query)}`),
      ...(hidden > 0
        ? [`not checked: ${count(hidden, 'statement')} of other roles, hidden from this role`]
        : []),
    ];
    if (details.length === 0) return { level: 'ok', found: 'no statement selects * from these tables' };
    return {
      level: 'warning',
      found: `${count(seen.length, 'statement')} with * on these tables, as far as ${hidden > 0 ? 'this role can see' : 'pg_stat_statements remembers'}`,
      details,
      advice: `${seen.length > 0 ? 'Let these services name their columns, or check that they read rows by name.' : ''}${hidden > 0 ? ' To see all: grant pg_read_all_stats to this role.' : ''}`,
    };
  },
};
