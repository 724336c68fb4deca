import { sql } from 'drizzle-orm';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { defineSave } from '../core/save-rows.ts';
import type { SavedRow } from '../core/saved-rows.ts';
import { insertableOrderColumns, type OrderInput } from './insert-orders.ts';

const orders = defineSave({
  name: 'saveOrders',
  table: sql`orders`,
  columns: insertableOrderColumns,
  core: [
    'id',
    'lastUpdated',
    'sessionId',
    'clientOrderId',
    'symbol',
    'side',
    'type',
    'status',
    'size',
    'filledSize',
    'remaining',
    'price',
    'timestamp',
    'exchange',
  ],
  nullWhenNew: ['pair_index'],
});

const startSaveOrders = defineCall<CallOptions>('saveOrders', 'primary', {});

/**
 * Saves orders by their id, any number of them: inserts those that are new, changes those that are there, and says for
 * each, in the order of the input, what became of it.
 *
 * Of a stored order only the columns change that the row gives: a key that is left out (or undefined) is not touched, null
 * stores null. A row that is older than what is stored, by `lastUpdated`, is `stale`, and nothing of it is stored; an
 * equally old one with other values is stored. A row without `lastUpdated` is taken as new, and leaves the stored one as
 * it is; anything is newer than a stored null. Of rows with one id in one call the newest is saved (of equally old ones
 * the last; one without `lastUpdated` counts as the newest), and the others are `stale`, as if they had come too late:
 * nothing of them is stored. The database keeps `pairIndex`, see {@link insertOrders}.
 *
 * Rows are all checked before the first is sent. They go in batches of up to 5,000, one round trip each (a second one if
 * another transaction was writing the same orders). On a handle each batch is a transaction of its own: if one fails after
 * others were stored, a {@link PartialSaveError} says which rows are saved, and the whole call can safely be made again. In
 * a transaction all is as atomic as that. Any number of processes may save the same orders at once: they lock them in the
 * order of the id, so that they don't wait for one another in a circle. Where others do (`setSessionPairs` numbers the
 * orders of a session anew), a deadlock is tried again on a handle, and thrown in a transaction, which must begin again.
 *
 * Index: the primary key.
 *
 * @example
 * const saved = await saveOrders(db, [{ id: 'o-1', status: 'filled', remaining: 0, lastUpdated: 1723161255342 }]);
 * const late = saved.filter(({ outcome }) => outcome === 'stale');
 * @throws InvalidArgumentError that names the place and id of a row that can't be stored: nothing was sent;
 * DatabaseError, among others `foreign_key_violation` if a session is unknown
 */
export async function saveOrders(
  db: Database,
  rows: readonly OrderInput[],
  options: CallOptions = {},
): Promise<SavedRow[]> {
  return orders.save(startSaveOrders(db, options), rows);
}
