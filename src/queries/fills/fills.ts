import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type Fill, fills } from '../../schema/index.ts';
import { checkLimit, checkOptionalText, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { andPastKeyAscending, highestTime, toKeyValues } from '../core/keyset.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery, type Given } from '../core/query.ts';

/** The key of a fill in the lists, which come oldest first, fills without a time last. A fill is its own key. */
export interface FillKey {
  readonly timestamp: number | null;
  readonly id: string;
}

/** Fills of a session; of one symbol or order of it, where given. */
export interface SessionFillFilter {
  /** `sessions.id`. */
  readonly sessionId: string;
  /** The pair, exactly as stored. */
  readonly symbol?: string | undefined;
  /** `orders.id`. */
  readonly orderId?: string | undefined;
}

/** Fills of an order, whatever session they name; of one symbol of it, where given. */
export interface OrderFillFilter {
  /** `orders.id`. */
  readonly orderId: string;
  /** The pair, exactly as stored. */
  readonly symbol?: string | undefined;
  readonly sessionId?: undefined;
}

/** Which page of a list. */
export interface FillPage {
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
  /** The last row of the page before. */
  readonly after?: FillKey | undefined;
}

export const fillFields: typeof fills._.columns = getTableColumns(fills);
type SessionValues = {
  sessionId?: string | undefined;
  symbol?: string | undefined;
  orderId?: string | undefined;
  afterMs?: number | undefined;
  afterId?: string | undefined;
  limit: number;
};

// The condition alone chooses the index: neither the order nor the key is spelled as an index of the time has it. A
// planner that walks that index instead, in the hope to meet the session soon, reads all that was traded before it.
const sessionFills = defineQuery<SessionValues, typeof fillFields>({
  name: 'listFills',
  fields: fillFields,
  statement: (given, columns) => sql`
select ${columns()}
from fills
where ${given.sessionId ? ofSession(given) : ofOrder(given)}
  ${andPastKeyAscending(sql`"timestamp"`, given)}
order by coalesce("timestamp", ${highestTime}), id
limit ${given.limit}`,
});

/** The condition of a session, and of what is given beside it. */
export function ofSession({
  sessionId,
  symbol,
  orderId,
}: Given<Pick<SessionValues, 'sessionId' | 'symbol' | 'orderId'>>): SQL {
  return sql`sessionid = ${sessionId}
  ${orderId && sql`and orderid = ${orderId}`}
  ${symbol && sql`and symbol = ${symbol}`}`;
}

// No operator of an index for the symbol: a planner without statistics might take the index of a symbol that half of the
// table has.
const ofOrder = ({ orderId, symbol }: Given<SessionValues>): SQL =>
  sql`orderid = ${orderId} ${symbol && sql`and symbol is not distinct from ${symbol}`}`;

const startListFills = defineCall<OptionsOf<typeof listFills>>('listFills', 'replica', {
  sessionId: true,
  symbol: true,
  orderId: true,
  limit: true,
  after: true,
});

/**
 * The fills of a session, of a pair or an order of it if given; or those of an order alone, also those that name no session
 * or another. The oldest first, those without a timestamp last. `after: page.at(-1)` gives the next page.
 *
 * Reads the matching fills and sorts out one page, so a page costs what the session has fills, whatever the rest of the
 * table holds. Indexes: `idx_fills_session_symbol`, or `idx_fills_sessionid` where the symbol says little; with an order
 * `idx_fills_session_order_symbol` or `idx_fills_composite`; of an order alone `idx_fills_orderid`.
 *
 * @throws {InvalidArgumentError} neither a session nor an order is given; `limit` or `after` is not what it must be.
 * @throws {DatabaseError}
 * @example
 * const fills = await listFills(db, { sessionId: 's-1', symbol: 'BTC/USD', limit: 500 });
 * const executions = await listFills(db, { orderId: 'o-1' });
 */
export async function listFills(
  db: Database,
  options: CallOptions & (SessionFillFilter | OrderFillFilter) & FillPage,
): Promise<Fill[]> {
  const call = startListFills(db, options);
  const { sessionId, orderId } = options;
  if (sessionId === undefined && orderId === undefined) {
    throw new InvalidArgumentError('listFills takes a sessionId, an orderId, or both');
  }
  return sessionFills.list(call, {
    sessionId: checkOptionalText('sessionId', sessionId),
    orderId: checkOptionalText('orderId', orderId),
    symbol: checkOptionalText('symbol', options.symbol),
    ...toKeyValues('timestamp', options.after),
    limit: checkLimit(options.limit),
  });
}

export function toSessionValues(filter: SessionFillFilter) {
  return {
    sessionId: checkText('sessionId', filter.sessionId),
    symbol: checkOptionalText('symbol', filter.symbol),
    orderId: checkOptionalText('orderId', filter.orderId),
  };
}
