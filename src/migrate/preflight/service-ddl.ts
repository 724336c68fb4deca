import { normalizeStatement } from '../plan/normalize.ts';
import { type Check, type CheckContext, count } from './check.ts';
import {
  describeReach,
  describeStatements,
  grantHint,
  notKept,
  onTables,
  readStatements,
} from './statement-log.ts';

const createsOrAlters =
  '(^|;)\\s*(create\\s+(unique\\s+)?(index|table)\\s+(concurrently\\s+)?if\\s+not\\s+exists|alter\\s+table)\\M';

export const serviceDdl: Check = {
  id: 'ddl-of-services',
  why: 'CREATE INDEX IF NOT EXISTS locks its table against writers before it looks: during a build it queues, all writers behind it, and may deadlock with the build',
  look: async (context) => {
    const { connection, tables, history } = context;
    if (history.pending.length === 0) return { level: 'ok', found: 'nothing is about to be built' };
    const log = await readStatements(connection, [createsOrAlters, onTables(tables)], 'running');
    const own = listOwn(context);
    const seen = log.seen.filter(({ query }) => !own.has(normalizeStatement(query)));
    const details = describeStatements({ ...log, seen });
    if (details.length === 0) {
      return log.isKept
        ? { level: 'ok', found: 'no DDL of services on these tables' }
        : { level: 'skipped', found: `not checked beyond what sessions run right now: ${notKept}` };
    }
    return {
      level: 'warning',
      found: `${count(seen.length, 'statement')} of DDL on these tables, ${describeReach(log)}`,
      details,
      advice:
        `${seen.length > 0 ? 'Do not start or restart these services while the migration runs; better, let them not create what is there.' : ''}${log.hidden > 0 ? grantHint : ''}`.trim(),
    };
  },
};

/** What the files themselves have run. */
function listOwn({ history }: CheckContext): Set<string> {
  const files = [...history.applied, ...history.pending];
  return new Set(files.flatMap(({ statements }) => statements.map(({ sql }) => normalizeStatement(sql))));
}
