import { getTableColumns, sql } from 'drizzle-orm';
import { type NewSession, sessions } from '../../schema/sessions.ts';
import type { Database } from '../core/database.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { toColumnArrays, unnestColumns } from '../core/input.ts';
import { defineQuery } from '../core/query.ts';
import { checkPairs } from './pairs.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';

// The database counts the pairs itself.
const { pairCount: _, ...columns } = getTableColumns(sessions);
const columnNames = sql.join(
  Object.values(columns).map((column) => sql.identifier(column.name)),
  sql`, `,
);

const insert = defineQuery<Record<keyof typeof columns, string>, typeof sessionFields>({
  name: 'insertSession',
  fields: sessionFields,
  statement: (given, returned) => sql`
    insert into sessions (${columnNames})
    select ${columnNames} from ${unnestColumns(columns, given, 'input')}
    returning ${returned()}`,
});

/**
 * Inserts a session and gives it as it is stored: without `pairs` (or with none) the database fills them from `symbol`,
 * else `tradingPair`, and it counts them.
 *
 * @example
 * const session = await insertSession(db, { id: 's-1', pairs: ['BTC/USD', 'ETH/USD'], startedAt: Date.now() });
 * @throws DatabaseError `unique_violation` if the id is taken; InvalidArgumentError
 */
export async function insertSession(
  db: Database,
  session: Omit<NewSession, 'pairCount'>,
): Promise<SessionSummary> {
  if (session.pairs !== undefined && session.pairs !== null) checkPairs(session.pairs);
  const stored = await insert.find(db, toColumnArrays(columns, [session]));
  if (stored === undefined) {
    throw new InvalidArgumentError(
      'insertSession: a trigger or rule of the database has kept the session out',
    );
  }
  return stored;
}
