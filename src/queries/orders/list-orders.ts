import { type SQL, sql } from 'drizzle-orm';
import type { Order } from '../../schema/orders.ts';
import { checkOptionalText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { andPastKey } from '../core/keyset.ts';
import { defineLatest } from '../core/latest.ts';
import { defineLatestOfAll } from '../core/latest-of-all.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery, type Given } from '../core/query.ts';
import { statusKey } from '../core/status-key.ts';
import { andNarrower, scopeOf } from './order-conditions.ts';
import { fromOrdersByStatus, lowerSide, toStatusKeys } from './order-status.ts';
import {
  defineListByStatus,
  type ListFilter,
  listValues,
  type OrderListOptions,
  orderFields,
} from './orders.ts';

const listOfSession = defineQuery<ListFilter, typeof orderFields>({
  name: 'listOrders',
  fields: orderFields,
  statement: (given, columns) => sql`
    select ${columns()} from orders
    where sessionid = ${given.sessionId}
      ${given.symbol && sql`and symbol = ${given.symbol}`}
      ${given.side && sql`and ${lowerSide} = ${given.side}`}
      ${andPastKey(sql`"timestamp"`, given)}
    order by "timestamp" desc nulls last, id desc
    limit ${given.limit}`,
});

const listOfSessionByStatus = defineListByStatus('listOrders', undefined);

/** Orders in the order of their time, by `idx_orders_timestamp`. */
const timeline = {
  table: sql`orders`,
  time: sql`"timestamp"`,
  timeName: 'timestamp' as const,
  fields: orderFields,
  compared: sql`id, "timestamp", symbol, side, status`,
};

type Filter = {
  symbol?: string | undefined;
  side?: string | undefined;
  statusKeys?: string | undefined;
};

const matches = ({ symbol, side, statusKeys }: Given<Filter>): SQL =>
  sql`true ${symbol && sql`and symbol = ${symbol}`} ${side && sql`and ${lowerSide} = ${side}`} ${
    statusKeys && sql`and ${statusKey(sql`status`)} = any(${statusKeys}::text::text[])`
  }`;

/** By the index of the status or of the symbol; of sides there are two, and none is rare. */
function search(given: Given<Filter>): { from: SQL; where: SQL } {
  const { symbol, side, statusKeys: keys } = given;
  if (keys === undefined) {
    // Two bounds and not an equality, which the planner would take for half of the table.
    const ofSymbol = symbol && sql`and symbol >= ${symbol} and symbol <= ${symbol}`;
    return {
      from: sql`orders`,
      where: sql`true ${ofSymbol} ${andNarrower({ sessionId: undefined, symbol, side })}`,
    };
  }
  const scope = { sessionId: undefined, symbol };
  const { spellings, orders: found } = fromOrdersByStatus({
    scope: scopeOf(scope),
    keys,
    columns: sql`id, "timestamp"`,
    rest: sql`${andNarrower({ ...scope, side })}`,
  });
  return {
    from: sql`(with ${spellings} select found.id, found."timestamp" from ${found}) as of_status`,
    where: sql`true`,
  };
}

const latest = defineLatest<Filter, typeof orderFields, 'timestamp'>(timeline, {
  name: 'listOrders',
  matches,
  search,
  matchesUnindexed: matches,
});
const latestOfAll = defineLatestOfAll(timeline, 'listOrders');

const startListOrders = defineCall<OptionsOf<typeof listOrders>>('listOrders', 'replica', {
  sessionId: true,
  symbol: true,
  status: true,
  side: true,
  limit: true,
  after: true,
});

/**
 * Orders, the newest first: of a session, of a symbol, in a status, on a side, in any combination, or the latest of all.
 * Sides and statuses compare without case, statuses also without `_`, `-` and spaces: `partially_filled` finds
 * `PartiallyFilled`, too.
 *
 * Of a session: relies on `idx_orders_composite` where a status is given, on `idx_orders_session_symbol` where only a
 * symbol is, else on `idx_orders_sessionid` or either of them; reads the matching orders of the session and sorts out one
 * page. Of all sessions: walks `idx_orders_timestamp` from its end; where few of the newest orders match, their own index
 * gives all that do (`idx_orders_symbol_status`, `idx_orders_status` or `idx_orders_symbol`), and the time goes by how many
 * there are.
 *
 * @example
 * const filled = await listOrders(db, { sessionId: 's-1', status: 'filled', limit: 20 });
 * const latest = await listOrders(db);
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOrders(
  db: Database,
  options: CallOptions &
    OrderListOptions & {
      readonly sessionId?: string | undefined;
      readonly status?: string | undefined;
    } = {},
): Promise<Order[]> {
  const call = startListOrders(db, options);
  const values = listValues(options);
  const sessionId = checkOptionalText('sessionId', options.sessionId);
  const status = checkOptionalText('status', options.status);
  const statusKeys = status === undefined ? undefined : toStatusKeys([status]);
  if (sessionId !== undefined) {
    return statusKeys === undefined
      ? listOfSession.list(call, { ...values, sessionId })
      : listOfSessionByStatus.list(call, { ...values, sessionId, statusKeys });
  }
  const { symbol, side, limit } = values;
  if (symbol === undefined && side === undefined && statusKeys === undefined) {
    return latestOfAll.list(call, undefined, limit, options.after);
  }
  return latest.list(call, { symbol, side, statusKeys }, limit, options.after);
}
