import { getTableColumns, sql } from 'drizzle-orm';
import { orders } from '../../schema/orders.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { joinNames } from '../core/join-sql.ts';
import { defineQuery } from '../core/query.ts';
import { rowsOf, toArrays } from '../core/row-arrays.ts';
import { createRowEncoder, encodeRows } from '../core/row-encoder.ts';
import type { RowInput } from '../core/row-types.ts';

/** The most orders of one call: some megabytes of parameters. */
export const maxInsertedOrders = 10_000;

// The database finds the position of the symbol among the session's pairs. Where it finds none, null stays, and not the
// column's default: 0 is a position.
const { pairIndex: _, ...given } = getTableColumns(orders);
/** The columns that a service gives. */
export const insertableOrderColumns: Omit<typeof orders._.columns, 'pairIndex'> = given;

/**
 * An order to insert: the columns of `orders` but `pairIndex`, of which only `id` must be given. Prices, sizes and fees
 * are numbers or exact decimal strings (`'0.1'`, `'1e-7'`), which PostgreSQL itself rounds to the column's float4.
 */
export type OrderInput = Omit<RowInput<typeof orders>, 'pairIndex'>;

export const orderEncoder = createRowEncoder(given);
const { columns, encode } = orderEncoder;
const { at: idAt } = orderEncoder.column('id');
const returned = { id: orders.id, pairIndex: orders.pairIndex };

const insert = defineQuery<Record<string, string>, typeof returned>({
  name: 'insertOrders',
  fields: returned,
  statement: (arrays, fields) => sql`
    insert into orders (${joinNames(columns)}, pair_index)
    select ${joinNames(columns)}, null
    from ${rowsOf(columns, arrays, 'input')}
    returning ${fields()}`,
});

const startInsertOrders = defineCall<CallOptions>('insertOrders', 'primary', {});

/**
 * Inserts orders, all or none, in one round trip, and gives the `pairIndex` of each, in their order: the position of its
 * symbol in its session's `pairs`, from 0, or null if the session does not list the symbol (the order is stored all the
 * same: `setSessionPairs` puts it right). A column that an order leaves out gets its default. Relies on the primary key of
 * `sessions`, by which the database finds the pairs.
 *
 * @example
 * const [stored] = await insertOrders(db, [{ id: 'o-1', sessionId: 's-1', symbol: 'BTC/USD', side: 'sell', size: '0.5' }]);
 * @throws DatabaseError `unique_violation` if an id is taken, `foreign_key_violation` if a session is unknown;
 * InvalidArgumentError if a row can't be stored or there are more than 10,000
 */
export async function insertOrders(
  db: Database,
  rows: readonly OrderInput[],
  options: CallOptions = {},
): Promise<{ id: string; pairIndex: number | null }[]> {
  const call = startInsertOrders(db, options);
  if (Array.isArray(rows) && rows.length > maxInsertedOrders) {
    throw new InvalidArgumentError(`insertOrders takes at most ${maxInsertedOrders} orders at a time`);
  }
  const encoded = encodeRows(rows, encode);
  if (encoded.length === 0) return [];
  const stored = await insert.list(call, toArrays(columns, encoded));
  const indexById = new Map(stored.map((row) => [row.id, row.pairIndex]));
  return encoded.map((values) => {
    const id = String(values[idAt]);
    return { id, pairIndex: indexById.get(id) ?? null };
  });
}
