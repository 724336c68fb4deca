import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type Order, orders } from '../../schema/orders.ts';
import { checkLimit, checkOptionalText, checkText } from '../core/arguments.ts';
import type { Database } from '../core/database.ts';
import { andPastKey, toKeyValues } from '../core/keyset.ts';
import { defineOptions, type OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { andNarrower, scopeOf } from './order-conditions.ts';
import {
  fromOrdersByStatus,
  hasSomethingLeft,
  lowerSide,
  type Side,
  toSide,
  toStatusKeys,
} from './order-status.ts';

/** The key of an order in the lists, which come newest first, orders without a time last. */
export interface OrderKey {
  readonly timestamp: number | null;
  readonly id: string;
}

/** What the lists of orders have in common. */
interface OrderListOptions {
  /** The pair, exactly as stored. */
  readonly symbol?: string | undefined;
  /** In any case, as the stored ones are. */
  readonly side?: Side | undefined;
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
  /** The last row of the page before. */
  readonly after?: OrderKey | undefined;
}

const orderFields = getTableColumns(orders);

type ListFilter = {
  sessionId?: string | undefined;
  symbol?: string | undefined;
  side?: string | undefined;
  /** Of `statuses`, or of `status`. */
  statusKeys?: string | undefined;
  afterMs?: number | undefined;
  afterId?: string | undefined;
  limit: number;
};

const listAny = defineQuery<ListFilter, typeof orderFields>({
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

const defineListByStatus = (name: string, condition: SQL | undefined) =>
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

const listByStatus = defineListByStatus('listOrders', undefined);
const listOpen = defineListByStatus('listOpenOrders', sql`and ${hasSomethingLeft}`);

const checkListOrdersOptions = defineOptions<OptionsOf<typeof listOrders>>('listOrders', {
  sessionId: true,
  symbol: true,
  status: true,
  side: true,
  limit: true,
  after: true,
});

/**
 * The orders of a session, the newest first. Sides and statuses compare without case, statuses also without `_`, `-` and
 * spaces: `partially_filled` finds `PartiallyFilled`, too. Relies on `idx_orders_composite` where a status is given, on
 * `idx_orders_session_symbol` where only a symbol is, else on `idx_orders_sessionid` or either of them; reads the matching
 * orders of the session and sorts out one page.
 *
 * @example
 * const filled = await listOrders(db, { sessionId: 's-1', status: 'filled', limit: 20 });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOrders(
  db: Database,
  options: OrderListOptions & { readonly sessionId: string; readonly status?: string | undefined },
): Promise<Order[]> {
  checkListOrdersOptions(options);
  const values = { ...listValues(options), sessionId: checkText('sessionId', options.sessionId) };
  const status = checkOptionalText('status', options.status);
  return status === undefined
    ? listAny.list(db, values)
    : listByStatus.list(db, { ...values, statusKeys: toStatusKeys([status]) });
}

const checkListOpenOrdersOptions = defineOptions<OptionsOf<typeof listOpenOrders>>('listOpenOrders', {
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
  options: OrderListOptions & {
    readonly sessionId?: string | undefined;
    /** Which statuses count as open, in any spelling. */
    readonly statuses?: readonly string[] | undefined;
  } = {},
): Promise<Order[]> {
  checkListOpenOrdersOptions(options);
  return listOpen.list(db, {
    ...listValues(options),
    sessionId: checkOptionalText('sessionId', options.sessionId),
    statusKeys: toStatusKeys(options.statuses),
  });
}

function listValues(options: OrderListOptions) {
  const { symbol, side, limit, after } = options;
  return {
    symbol: checkOptionalText('symbol', symbol),
    side: toSide(side),
    limit: checkLimit(limit),
    ...toKeyValues('timestamp', after),
  };
}
