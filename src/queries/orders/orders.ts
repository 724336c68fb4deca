import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type Order, orders } from '../../schema/orders.ts';
import { checkLimit, checkOptionalText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { andPastKey, toKeyValues } from '../core/keyset.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery, type Query } from '../core/query.ts';
import { andNarrower, scopeOf } from './order-conditions.ts';
import { fromOrdersByStatus, hasSomethingLeft, type Side, toSide, toStatusKeys } from './order-status.ts';

/** The key of an order in the lists, which come newest first, orders without a time last. */
export interface OrderKey {
  readonly timestamp: number | null;
  readonly id: string;
}

/** What the lists of orders have in common. */
export interface OrderListOptions {
  /** The pair, exactly as stored. */
  readonly symbol?: string | undefined;
  /** In any case, as the stored ones are. */
  readonly side?: Side | undefined;
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
  /** The last row of the page before. */
  readonly after?: OrderKey | undefined;
}

// By name: spelled out, the declarations would be those of one Drizzle alone.
export const orderFields: typeof orders._.columns = getTableColumns(orders);

export type ListFilter = {
  sessionId?: string | undefined;
  symbol?: string | undefined;
  side?: string | undefined;
  /** Of `statuses`, or of `status`. */
  statusKeys?: string | undefined;
  afterMs?: number | undefined;
  afterId?: string | undefined;
  limit: number;
};

/** A list of orders in some statuses, with a further condition (`and` before it). */
export const defineListByStatus = (
  name: string,
  condition: SQL | undefined,
): Query<ListFilter, typeof orderFields> =>
  defineQuery<ListFilter, typeof orderFields>({
    name,
    fields: orderFields,
    statement: (given, columns) => {
      const { spellings, orders: found } = fromOrdersByStatus({
        scope: scopeOf(given),
        keys: given.statusKeys,
        columns: columns(),
        rest: sql`${condition} ${andNarrower(given)} ${andPastKey(sql`"timestamp"`, given)}`,
      });
      return sql`
    with ${spellings}
    select ${columns('found')}
    from ${found}
    order by found."timestamp" desc nulls last, found.id desc
    limit ${given.limit}`;
    },
  });

const listOpen = defineListByStatus('listOpenOrders', sql`and ${hasSomethingLeft}`);

const startListOpenOrders = defineCall<OptionsOf<typeof listOpenOrders>>('listOpenOrders', 'replica', {
  sessionId: true,
  symbol: true,
  statuses: true,
  side: true,
  limit: true,
  after: true,
});

/**
 * The open orders of a session, of a symbol, or of all, the newest first: those in an open status (one of
 * {@link openOrderStatuses}, in any spelling) with something left to fill. Nothing is left where `remaining` is 0 or less,
 * or, where that is null, the filled size (`filledSize`, else `filled`) is all of `size`; what is not known counts as
 * something left. Relies on `idx_orders_composite` for a session, `idx_orders_symbol_status` for a symbol, else
 * `idx_orders_status`.
 *
 * @example
 * const open = await listOpenOrders(db, { symbol: 'BTC/USD', side: 'sell' });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOpenOrders(
  db: Database,
  options: CallOptions &
    OrderListOptions & {
      readonly sessionId?: string | undefined;
      /** Which statuses count as open, in any spelling. */
      readonly statuses?: readonly string[] | undefined;
    } = {},
): Promise<Order[]> {
  const call = startListOpenOrders(db, options);
  return listOpen.list(call, {
    ...listValues(options),
    sessionId: checkOptionalText('sessionId', options.sessionId),
    statusKeys: toStatusKeys(options.statuses),
  });
}

/** The values that all of the lists have. */
export function listValues(options: OrderListOptions) {
  const { symbol, side, limit, after } = options;
  return {
    symbol: checkOptionalText('symbol', symbol),
    side: toSide(side),
    limit: checkLimit(limit),
    ...toKeyValues('timestamp', after),
  };
}
