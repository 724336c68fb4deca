import { getTableColumns, sql } from 'drizzle-orm';
import { type NewOrder, orders } from '../../schema/orders.ts';
import type { Database } from '../core/database.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { toColumnArrays, unnestColumns } from '../core/input.ts';
import { defineQuery } from '../core/query.ts';

/** The most orders of one call: some megabytes of parameters. */
export const maxInsertedOrders = 10_000;

const { pairIndex: _, ...columns } = getTableColumns(orders);
const columnNames = sql.join(
  Object.values(columns).map((column) => sql.identifier(column.name)),
  sql`, `,
);
const returned = { id: orders.id, pairIndex: orders.pairIndex };

const insert = defineQuery<Record<keyof typeof columns, string>, typeof returned>({
  name: 'insertOrders',
  fields: returned,
  statement: (given, fields) => sql`
    insert into orders (${columnNames}, pair_index)
    select ${columnNames}, (
      select min(ordinality)::integer - 1
      from sessions cross join lateral jsonb_array_elements_text(sessions.pairs) with ordinality as element (pair)
      where sessions.id = input.sessionid and element.pair = input.symbol
    )
    from ${unnestColumns(columns, given, 'input')}
    returning ${fields()}`,
});

/**
 * Inserts orders, all or none, in one round trip, and gives the `pairIndex` of each, in their order: the position of its
 * symbol in its session's `pairs`, from 0, or null if the session does not list the symbol (the order is stored all the
 * same: `setSessionPairs` puts it right). Relies on the primary key of `sessions`.
 *
 * @example
 * const [stored] = await insertOrders(db, [{ id: 'o-1', sessionId: 's-1', symbol: 'BTC/USD', side: 'sell', size: 0.5 }]);
 * @throws DatabaseError `unique_violation` if an id is taken, `foreign_key_violation` if a session is unknown;
 * InvalidArgumentError if a row can't be stored or there are more than 10,000
 */
export async function insertOrders(
  db: Database,
  rows: readonly Omit<NewOrder, 'pairIndex'>[],
): Promise<{ id: string; pairIndex: number | null }[]> {
  if (rows.length === 0) return [];
  if (rows.length > maxInsertedOrders) {
    throw new InvalidArgumentError(`insertOrders takes at most ${maxInsertedOrders} orders at a time`);
  }
  const stored = await insert.list(db, toColumnArrays(columns, rows));
  const indexById = new Map(stored.map((row) => [row.id, row.pairIndex]));
  return rows.map(({ id }) => ({ id, pairIndex: indexById.get(id) ?? null }));
}
