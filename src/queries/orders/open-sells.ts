import { sql } from 'drizzle-orm';
import type { Order } from '../../schema/orders.ts';
import { checkOptionalText, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import type { OptionsOf } from '../core/options.ts';
import { type Computed, defineQuery } from '../core/query.ts';
import { andNarrower, scopeOf } from './order-conditions.ts';
import { fromOrdersByStatus, hasSomethingLeft, lowerSide, toStatusKeys } from './order-status.ts';
import { defineListByStatus, listValues, type OrderListOptions } from './orders.ts';

const anyOpenSell = defineQuery<
  { sessionId: string; statusKeys?: string | undefined; symbol?: string | undefined },
  { exists: Computed<boolean> }
>({
  name: 'hasOpenSells',
  fields: { exists: { expression: sql`exists`, decode: (value) => value === true } },
  statement: ({ sessionId, symbol, statusKeys }) => {
    const { spellings, orders: found } = fromOrdersByStatus({
      scope: scopeOf({ sessionId, symbol }),
      keys: statusKeys,
      columns: undefined,
      rest: sql`and ${hasSomethingLeft} ${andNarrower({ sessionId, symbol, side: sql`'sell'` })}`,
    });
    return sql`
    with ${spellings}
    select exists (select from ${found})`;
  },
});

const startHasOpenSells = defineCall<OptionsOf<typeof hasOpenSells>>('hasOpenSells', 'replica', {
  sessionId: true,
  symbol: true,
  statuses: true,
});

/**
 * Whether a session has open sell orders, of one symbol or at all: open as `listOpenOrders` has it, and `sell` in any
 * case. Relies on `idx_orders_composite`.
 *
 * @example
 * if (!(await hasOpenSells(db, { sessionId: 's-1' }))) await recordSettlement(db, { sessionId: 's-1', complete: true });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function hasOpenSells(
  db: Database,
  options: CallOptions & {
    readonly sessionId: string;
    readonly symbol?: string | undefined;
    /** Which statuses count as open, in any spelling. */
    readonly statuses?: readonly string[] | undefined;
  },
): Promise<boolean> {
  const call = startHasOpenSells(db, options);
  const row = await anyOpenSell.find(call, {
    sessionId: checkText('sessionId', options.sessionId),
    symbol: checkOptionalText('symbol', options.symbol),
    statusKeys: toStatusKeys(options.statuses),
  });
  return row?.exists === true;
}

const listSells = defineListByStatus('listOpenSells', sql`and ${hasSomethingLeft} and ${lowerSide} = 'sell'`);

const startListOpenSells = defineCall<OptionsOf<typeof listOpenSells>>('listOpenSells', 'replica', {
  sessionId: true,
  symbol: true,
  statuses: true,
  limit: true,
  after: true,
});

/**
 * The open sell orders of a session that {@link hasOpenSells} finds, of one symbol or all of them, the newest first.
 * Relies on `idx_orders_composite`.
 *
 * @example
 * const sells = await listOpenSells(db, { sessionId: 's-1', symbol: 'BTC/USD' });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listOpenSells(
  db: Database,
  options: CallOptions &
    Omit<OrderListOptions, 'side'> & {
      readonly sessionId: string;
      /** Which statuses count as open, in any spelling. */
      readonly statuses?: readonly string[] | undefined;
    },
): Promise<Order[]> {
  const call = startListOpenSells(db, options);
  return listSells.list(call, {
    ...listValues(options),
    sessionId: checkText('sessionId', options.sessionId),
    statusKeys: toStatusKeys(options.statuses),
  });
}
