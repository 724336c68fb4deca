import { getTableColumns, sql } from 'drizzle-orm';
import { type Session, sessions } from '../../schema/sessions.ts';
import { checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';

const allFields = getTableColumns(sessions);

const findById = defineQuery<{ id: string }, typeof allFields>({
  name: 'findSession',
  fields: allFields,
  statement: (given, columns) => sql`select ${columns()} from sessions where id = ${given.id}`,
});

const startFindSession = defineCall<OptionsOf<typeof findSession>>('findSession', 'replica', { id: true });

/**
 * The session with an id (`sessions.id`), with all of its columns: also the JSON documents (`settings`, `metrics`,
 * `environment`, …), which the lists leave out. Relies on the primary key.
 *
 * @example
 * const session = await findSession(db, { id: 's-1' });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function findSession(
  db: Database,
  options: CallOptions & { readonly id: string },
): Promise<Session | undefined> {
  const call = startFindSession(db, options);
  return findById.find(call, { id: checkText('id', options.id) });
}
