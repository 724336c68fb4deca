import { sql } from 'drizzle-orm';
import type { Fill } from '../../schema/index.ts';
import { checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { fillFields } from './fills.ts';

const findById = defineQuery<{ id: string }, typeof fillFields>({
  name: 'findFill',
  fields: fillFields,
  statement: (given, columns) => sql`
select ${columns()}
from fills
where id = ${given.id}`,
});

const startFindFill = defineCall<OptionsOf<typeof findFill>>('findFill', 'replica', { id: true });

/**
 * The fill with an id (`fills.id`). Index: the primary key.
 *
 * @throws {InvalidArgumentError}
 * @throws {DatabaseError}
 * @example
 * const fill = await findFill(db, { id: 'f-1' });
 */
export async function findFill(
  db: Database,
  options: CallOptions & { readonly id: string },
): Promise<Fill | undefined> {
  const call = startFindFill(db, options);
  return findById.find(call, { id: checkText('id', options.id) });
}
