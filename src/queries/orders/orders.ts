import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type Order, orders } from '../../schema/orders.ts';
import { arrayLiteral, checkLimit, checkOptionalText, checkText } from '../core/arguments.ts';
import type { Database } from '../core/database.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { andPastKey, toKeyValues } from '../core/keyset.ts';
import { type Computed, defineQuery } from '../core/query.ts';

/** The key of an order in the lists, which come newest first, orders without a time last. */
export interface OrderKey {
  readonly timestamp: number | null;
  readonly id: string;
}

/** What the lists of orders have in common. */
interface OrderListOptions {
  /** The pair, exactly as stored. */
  readonly symbol?: string | undefined;
  readonly side?: 'buy' | 'sell' | undefined;
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
  /** The last row of the page before. */
  readonly after?: OrderKey | undefined;
}

/**
 * The statuses of an order that can still be filled. An order in any other status, or in none, does not count as open;
 * a service whose venue says it otherwise gives its own `statuses`.
 */
export const openOrderStatuses = ['pending', 'new', 'open', 'partially_filled', 'canceling'] as const;

/** The most statuses that a list may ask for. */
export const maxStatuses = 100;

const orderFields = getTableColumns(orders);

type ListFilter = {
  sessionId?: string | undefined;
  symbol?: string | undefined;
  status?: string | undefined;
  side?: string | undefined;
  statuses?: string | undefined;
  afterMs?: number | undefined;
  afterId?: string | undefined;
  limit: number;
};

// `is not distinct from` is a condition that no index serves. A planner without statistics takes all conditions for
// equally rare and may pick the index of a status, symbol or side that half of the table has.
const list = defineQuery<ListFilter, typeof orderFields>({
  name: 'listOrders',
  fields: orderFields,
  statement: (given, columns) => sql`
    select ${columns()} from orders
    where sessionid = ${given.sessionId}
      ${given.symbol && sql`and symbol = ${given.symbol}`}
      ${given.status && sql`and status ${given.symbol ? sql`is not distinct from` : sql`=`} ${given.status}`}
      ${given.side && sql`and side is not distinct from ${given.side}`}
      ${andPastKey(sql`"timestamp"`, given)}
    order by "timestamp" desc nulls last, id desc
    limit ${given.limit}`,
});

// The usual statuses stand in the text: of an array that it does not see the planner expects ten values, all common.
const openList = sql.raw(openOrderStatuses.map((status) => `'${status}'`).join(', '));
const isOpen = (statuses: SQL | undefined): SQL =>
  statuses ? sql`status = any(${statuses}::text::text[])` : sql`status in (${openList})`;

const listOpen = defineQuery<ListFilter, typeof orderFields>({
  name: 'listOpenOrders',
  fields: orderFields,
  statement: (given, columns) => sql`
    select ${columns()} from orders
    where ${isOpen(given.statuses)}
      ${given.sessionId && sql`and sessionid = ${given.sessionId}`}
      ${given.symbol && sql`and symbol ${given.sessionId ? sql`is not distinct from` : sql`=`} ${given.symbol}`}
      ${given.side && sql`and side is not distinct from ${given.side}`}
      ${andPastKey(sql`"timestamp"`, given)}
    order by "timestamp" desc nulls last, id desc
    limit ${given.limit}`,
});

/**
 * The orders of a session, the newest first. Relies on `idx_orders_session_symbol` where a symbol is given, else on
 * `idx_orders_composite` or `idx_orders_sessionid`; reads the matching orders of the session and sorts out one page.
 *
 * @example
 * const filled = await listOrders(db, { sessionId: 's-1', status: 'filled', limit: 20 });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOrders(
  db: Database,
  options: OrderListOptions & { readonly sessionId: string; readonly status?: string | undefined },
): Promise<Order[]> {
  return list.list(db, {
    ...listValues(options),
    sessionId: checkText('sessionId', options.sessionId),
    status: checkOptionalText('status', options.status),
  });
}

/**
 * The open orders (see {@link openOrderStatuses}) of a session, of a symbol, or of all, the newest first. Relies on
 * `idx_orders_composite` for a session, `idx_orders_symbol_status` for a symbol, else `idx_orders_status`.
 *
 * @example
 * const open = await listOpenOrders(db, { symbol: 'BTC/USD', side: 'sell' });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOpenOrders(
  db: Database,
  options: OrderListOptions & {
    readonly sessionId?: string | undefined;
    /** Which statuses count as open. */
    readonly statuses?: readonly string[] | undefined;
  } = {},
): Promise<Order[]> {
  return listOpen.list(db, {
    ...listValues(options),
    sessionId: checkOptionalText('sessionId', options.sessionId),
    statuses: toStatuses(options.statuses),
  });
}

const anyOpenSell = defineQuery<
  { sessionId: string; statuses?: string | undefined; symbol?: string | undefined },
  { exists: Computed<boolean> }
>({
  name: 'hasOpenSells',
  fields: { exists: { expression: sql`exists`, decode: (value) => value === true } },
  statement: (given) => sql`
    select exists (
      select from orders
      where sessionid = ${given.sessionId} and ${isOpen(given.statuses)} and side is not distinct from 'sell'
        ${given.symbol && sql`and symbol is not distinct from ${given.symbol}`}
    )`,
});

/**
 * Whether a session has open sell orders (see {@link openOrderStatuses}), of one symbol or at all. Relies on
 * `idx_orders_composite`.
 *
 * @example
 * if (!(await hasOpenSells(db, { sessionId: 's-1' }))) await recordSettlement(db, { sessionId: 's-1', complete: true });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function hasOpenSells(
  db: Database,
  options: {
    readonly sessionId: string;
    readonly symbol?: string | undefined;
    /** Which statuses count as open. */
    readonly statuses?: readonly string[] | undefined;
  },
): Promise<boolean> {
  const row = await anyOpenSell.find(db, {
    sessionId: checkText('sessionId', options.sessionId),
    symbol: checkOptionalText('symbol', options.symbol),
    statuses: toStatuses(options.statuses),
  });
  return row?.exists === true;
}

function listValues(options: OrderListOptions) {
  const { symbol, side, limit, after } = options;
  if (side !== undefined && side !== 'buy' && side !== 'sell') {
    throw new InvalidArgumentError("side must be 'buy' or 'sell'");
  }
  return {
    symbol: checkOptionalText('symbol', symbol),
    side,
    limit: checkLimit(limit),
    ...toKeyValues('timestamp', after),
  };
}

function toStatuses(statuses: readonly string[] | undefined): string | undefined {
  if (statuses === undefined) return undefined;
  if (!Array.isArray(statuses) || statuses.length === 0 || statuses.length > maxStatuses) {
    throw new InvalidArgumentError(`statuses must name 1 to ${maxStatuses} statuses`);
  }
  return arrayLiteral(statuses.map((status) => checkText('each of statuses', status)));
}
