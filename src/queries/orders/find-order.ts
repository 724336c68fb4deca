import { getTableColumns, sql } from 'drizzle-orm';
import { type Order, orders } from '../../schema/orders.ts';
import { checkOptionalText, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';

const orderFields = getTableColumns(orders);

type ById = { id?: string | undefined; clientOrderId?: string | undefined };

const findByKey = defineQuery<ById, typeof orderFields>({
  name: 'findOrder',
  fields: orderFields,
  statement: (given, columns) => sql`
    select ${columns()} from orders
    where ${given.id ? sql`id = ${given.id}` : sql`clientorderid = ${given.clientOrderId}`}
    order by "timestamp" desc nulls last, id desc
    limit 1`,
});

const findByExchangeId = defineQuery<{ exchangeOrderId: string; sessionId: string }, typeof orderFields>({
  name: 'findOrder',
  fields: orderFields,
  statement: (given, columns) => sql`
    select ${columns()} from orders
    where sessionid = ${given.sessionId}
      and (data ->> 'exchangeOrderId' = ${given.exchangeOrderId} or id in (
        select orderid from fills
        where sessionid = ${given.sessionId} and exchangeorderid = ${given.exchangeOrderId}
      ))
    order by "timestamp" desc nulls last, id desc
    limit 1`,
});

/** One of the three ids. The venue's own needs the session, because no index has it. */
export type FindOrderOptions =
  | {
      readonly id: string;
      readonly clientOrderId?: undefined;
      readonly exchangeOrderId?: undefined;
      readonly sessionId?: undefined;
    }
  | {
      readonly clientOrderId: string;
      readonly id?: undefined;
      readonly exchangeOrderId?: undefined;
      readonly sessionId?: undefined;
    }
  | {
      readonly exchangeOrderId: string;
      readonly sessionId: string;
      readonly id?: undefined;
      readonly clientOrderId?: undefined;
    };

const startFindOrder = defineCall<OptionsOf<typeof findOrder>>('findOrder', 'replica', {
  id: true,
  clientOrderId: true,
  exchangeOrderId: true,
  sessionId: true,
});

/**
 * The order with an id: ours (`orders.id`, the primary key), the one that we gave it at the venue
 * (`idx_orders_clientorderid`), or the venue's. If several orders have it, the newest.
 *
 * The venue's id is no column of `orders`: services keep it in `orders.data` as `exchangeOrderId`, and in
 * `fills.exchangeorderid`. Both are looked at, among the orders and fills of one session (`idx_orders_sessionid`,
 * `idx_fills_sessionid`): a search of the whole table would read all of it.
 *
 * @example
 * const order = await findOrder(db, { exchangeOrderId: 'OABC-123', sessionId: 's-1' });
 * @throws InvalidArgumentError unless exactly one id is given; DatabaseError
 */
export async function findOrder(
  db: Database,
  options: CallOptions & FindOrderOptions,
): Promise<Order | undefined> {
  const call = startFindOrder(db, options);
  const ids = [options.id, options.clientOrderId, options.exchangeOrderId];
  if (ids.filter((id) => id !== undefined).length !== 1) {
    throw new InvalidArgumentError('findOrder takes exactly one of id, clientOrderId and exchangeOrderId');
  }
  if (options.exchangeOrderId !== undefined) {
    return findByExchangeId.find(call, {
      exchangeOrderId: checkText('exchangeOrderId', options.exchangeOrderId),
      sessionId: checkText('sessionId', options.sessionId),
    });
  }
  if (options.sessionId !== undefined) {
    throw new InvalidArgumentError('findOrder takes sessionId with exchangeOrderId alone');
  }
  return findByKey.find(call, {
    id: checkOptionalText('id', options.id),
    clientOrderId: checkOptionalText('clientOrderId', options.clientOrderId),
  });
}
