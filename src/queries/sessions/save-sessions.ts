import { sql } from 'drizzle-orm';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { defineSave } from '../core/save-rows.ts';
import type { SavedRow } from '../core/saved-rows.ts';
import { encodePairs, insertableSessionColumns, type SessionInput } from './insert-session.ts';

const sessions = defineSave({
  name: 'saveSessions',
  table: sql`sessions`,
  columns: insertableSessionColumns,
  core: [
    'id',
    'lastUpdated',
    'sessionId',
    'symbol',
    'exchange',
    'strategy',
    'tradingMode',
    'status',
    'startedAt',
    'endedAt',
    'settleSession',
    'pairs',
  ],
  encoders: { pairs: encodePairs },
  differs: {
    // The database never stores null, and makes of an empty list the session's one symbol: neither is a change where that
    // is stored already.
    pairs: sql`coalesce(i.pairs <> s.pairs, false) and not (i.pairs = '[]' and coalesce(
        s.pairs = jsonb_build_array(coalesce(nullif(s.symbol, ''), nullif(s.tradingpair, ''))), false))`,
  },
});

const startSaveSessions = defineCall<CallOptions>('saveSessions', 'primary', {});

/**
 * Saves sessions by their id, any number of them: inserts those that are new, changes those that are there, and says for
 * each, in the order of the input, what became of it.
 *
 * Of a stored session only the columns change that the row gives: a key that is left out (or undefined) is not touched,
 * null stores null. `pairs` are never null: null says nothing of them, and an empty list falls back to `symbol`, else
 * `tradingPair`. The database counts them, and numbers the orders of a session anew whose pairs are reordered. What
 * is `stale`, which row of an id is saved, how batches, transactions and errors go, is as in {@link saveOrders}.
 *
 * Index: the primary key; `idx_orders_session_symbol` where pairs are reordered.
 *
 * @example
 * const saved = await saveSessions(db, [{ id: 's-1', status: 'completed', endedAt: 1723161255342, lastUpdated: 1723161255342 }]);
 * @throws InvalidArgumentError that names the place and id of a row that can't be stored: nothing was sent; DatabaseError
 */
export async function saveSessions(
  db: Database,
  rows: readonly SessionInput[],
  options: CallOptions = {},
): Promise<SavedRow[]> {
  return sessions.save(startSaveSessions(db, options), rows);
}
