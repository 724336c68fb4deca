import { getTableColumns, sql } from 'drizzle-orm';
import { sessions } from '../../schema/sessions.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { type Encoder, encodeJson } from '../core/encode.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { joinNames } from '../core/join-sql.ts';
import { defineQuery } from '../core/query.ts';
import { rowsOf, toArrays } from '../core/row-arrays.ts';
import { createRowEncoder, encodeRows } from '../core/row-encoder.ts';
import type { RowInput } from '../core/row-types.ts';
import { checkPairs } from './pairs.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';

// The database counts the pairs itself.
const { pairCount: _, ...given } = getTableColumns(sessions);
/** The columns that a service gives. */
export const insertableSessionColumns: Omit<typeof sessions._.columns, 'pairCount'> = given;

/** A session to insert: the columns of `sessions` but `pairCount`, of which only `id` must be given. */
export type SessionInput = Omit<RowInput<typeof sessions>, 'pairCount'>;

/** As the table's check constraint wants them, and no more than the lists can ask for. */
export const encodePairs: Encoder = (value, row, key) =>
  encodeJson(checkPairs(value, `row ${row}: ${key}`), row, key);

export const sessionEncoder = createRowEncoder(given, { encoders: { pairs: encodePairs } });
const { columns, encode } = sessionEncoder;

const insert = defineQuery<Record<string, string>, typeof sessionFields>({
  name: 'insertSession',
  fields: sessionFields,
  statement: (arrays, returned) => sql`
    insert into sessions (${joinNames(columns)})
    select ${joinNames(columns)} from ${rowsOf(columns, arrays, 'input')}
    returning ${returned()}`,
});

const startInsertSession = defineCall<CallOptions>('insertSession', 'primary', {});

/**
 * Inserts a session and gives it as it is stored: without `pairs` (or with none) the database fills them from `symbol`,
 * else `tradingPair`, and it counts them. `budget` may be an exact decimal string.
 *
 * @example
 * const session = await insertSession(db, { id: 's-1', pairs: ['BTC/USD', 'ETH/USD'], startedAt: Date.now() });
 * @throws DatabaseError `unique_violation` if the id is taken; InvalidArgumentError
 */
export async function insertSession(
  db: Database,
  session: SessionInput,
  options: CallOptions = {},
): Promise<SessionSummary> {
  const call = startInsertSession(db, options);
  const rows = encodeRows([session], encode);
  const stored = await insert.find(call, toArrays(columns, rows));
  if (stored === undefined) {
    throw new InvalidArgumentError(
      'insertSession: a trigger or rule of the database has kept the session out',
    );
  }
  return stored;
}
