import { sql } from 'drizzle-orm';
import { checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { NotFoundError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { checkPairs } from './pairs.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';

const setPairs = defineQuery<{ id: string; pairs: string; nowMs: number }, typeof sessionFields>({
  name: 'setSessionPairs',
  fields: sessionFields,
  statement: (given, columns) => sql`
    with changed as (
      update sessions
      set pairs = ${given.pairs}::text::jsonb, lastupdated = ${given.nowMs}::bigint
      where id = ${given.id}
      returning ${columns()}
    ), place as (
      select pair, min(ordinality)::integer - 1 as index
      from changed cross join lateral jsonb_array_elements_text(changed.pairs) with ordinality as element (pair)
      group by pair
    ), renumbered as (
      update orders
      set pair_index = place.index
      from changed cross join place
      where orders.sessionid = changed.id and orders.symbol = place.pair
        and orders.pair_index is distinct from place.index
    )
    select ${columns()} from changed`,
});

const startSetSessionPairs = defineCall<OptionsOf<typeof setSessionPairs>>('setSessionPairs', 'primary', {
  sessionId: true,
  pairs: true,
});

/**
 * Sets which pairs a session trades, in the order that `orders.pairIndex` counts; orders that the session has already
 * get the new position of their symbol, in the same statement. Give an empty list, and the database falls back to the
 * session's `symbol`, else its `tradingPair`. Gives the session as it is stored then.
 *
 * Append new pairs at the end: then no existing order changes. An order that another transaction is inserting meanwhile
 * keeps the position that it saw. Relies on the primary key and `idx_orders_session_symbol`.
 *
 * @example
 * const session = await setSessionPairs(db, { sessionId: 's-1', pairs: ['BTC/USD', 'ETH/USD'] });
 * @throws NotFoundError if there is no such session; InvalidArgumentError, DatabaseError
 */
export async function setSessionPairs(
  db: Database,
  options: CallOptions & { readonly sessionId: string; readonly pairs: readonly string[] },
): Promise<SessionSummary> {
  const call = startSetSessionPairs(db, options);
  const stored = await setPairs.find(call, {
    id: checkText('sessionId', options.sessionId),
    pairs: JSON.stringify(checkPairs(options.pairs)),
    nowMs: Date.now(),
  });
  if (stored === undefined)
    throw new NotFoundError('setSessionPairs: there is no session with this id (sessions.id)');
  return stored;
}
