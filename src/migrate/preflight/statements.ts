import { type Check, count } from './check.ts';
import {
  describeReach,
  describeStatements,
  grantHint,
  notKept,
  onTables,
  readStatements,
} from './statement-log.ts';

const selectsStar = '\\m(select|returning)\\s+(distinct\\s+)?("?\\w+"?\\.)?\\*';

/** What can't be looked at from any session but its own. */
const preparedHint =
  'Whether one is prepared by name can’t be seen from here (pg_prepared_statements shows a session its own): node-postgres then fails with "cached plan must not change result type" until it reconnects.';

export const selectStar: Check = {
  id: 'select-star',
  why: 'a service that selects * gets the new columns; one that reads them by position, or has prepared it by name, may break',
  look: async ({ connection, tables }) => {
    const log = await readStatements(connection, [selectsStar, onTables(tables)], 'running or idle');
    const details = describeStatements(log);
    if (details.length === 0) {
      return log.isKept
        ? { level: 'ok', found: 'no statement selects * from these tables' }
        : { level: 'skipped', found: `not checked beyond what sessions run right now: ${notKept}` };
    }
    return {
      level: 'warning',
      found: `${count(log.seen.length, 'statement')} with * on these tables, ${describeReach(log)}`,
      details,
      advice:
        `${log.seen.length > 0 ? `Let these services name their columns, or check that they read rows by name. ${preparedHint}` : ''}${log.hidden > 0 ? grantHint : ''}`.trim(),
    };
  },
};
