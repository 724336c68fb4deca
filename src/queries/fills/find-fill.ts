import { sql } from 'drizzle-orm';
import type { Fill } from '../../schema/index.ts';
import { checkText } from '../core/arguments.ts';
import type { Database } from '../core/database.ts';
import { defineOptions, type OptionsOf } from '../core/options.ts';
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

const checkFindFillOptions = defineOptions<OptionsOf<typeof findFill>>('findFill', { id: true });

/**
 * The fill with an id (`fills.id`). Index: the primary key.
 *
 * @throws {InvalidArgumentError}
 * @throws {DatabaseError}
 * @example
 * const fill = await findFill(db, { id: 'f-1' });
 */
export async function findFill(db: Database, options: { readonly id: string }): Promise<Fill | undefined> {
  checkFindFillOptions(options);
  return findById.find(db, { id: checkText('id', options.id) });
}
