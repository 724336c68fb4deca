import { getTableColumns, sql } from 'drizzle-orm';
import { type Session, sessions } from '../../schema/sessions.ts';
import { checkText } from '../core/arguments.ts';
import type { Database } from '../core/database.ts';
import { defineOptions, type OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';

const allFields = getTableColumns(sessions);

const findById = defineQuery<{ id: string }, typeof allFields>({
  name: 'findSession',
  fields: allFields,
  statement: (given, columns) => sql`select ${columns()} from sessions where id = ${given.id}`,
});

const checkFindSessionOptions = defineOptions<OptionsOf<typeof findSession>>('findSession', { id: true });

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
  options: { readonly id: string },
): Promise<Session | undefined> {
  checkFindSessionOptions(options);
  return findById.find(db, { id: checkText('id', options.id) });
}
