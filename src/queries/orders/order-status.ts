import { type SQL, sql } from 'drizzle-orm';
import { arrayLiteral, checkText } from '../core/arguments.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { statusKey, toStatusKey } from '../core/status-key.ts';

/**
 * The statuses of an order that can still be filled, in any spelling (see {@link toStatusKey}). An order in any other
 * status, or in none, does not count as open; a service whose venue says it in another word gives its own `statuses`.
 */
export const openOrderStatuses = [
  'pending',
  'new',
  'open',
  'partially_filled',
  'canceling',
  'cancelling',
] as const;

/** The most statuses that a list may ask for. */
export const maxStatuses = 100;

/** A side, in whatever case. In these three the type knows it; at run time any mixture will do. */
export type Side = 'buy' | 'sell' | 'BUY' | 'SELL' | 'Buy' | 'Sell';

/** The side of an order as it is compared. No index serves it: the session, symbol or status is to choose one. */
export const lowerSide = sql`lower(side collate "C")`;

const openStatusKeys = sql.raw(
  [...new Set(openOrderStatuses.map(toStatusKey))].map((key) => `'${key}'`).join(', '),
);

/** The condition of these keys, or of those of the open statuses. */
const isWanted = (status: SQL, keys: SQL | undefined): SQL =>
  keys
    ? sql`${statusKey(status)} = any(${keys}::text::text[])`
    : sql`${statusKey(status)} in (${openStatusKeys})`;

/** `remaining` says it; where it is missing, size and filled size. What is not known counts as something left. */
export const hasSomethingLeft = sql`coalesce(remaining > 0, size > coalesce(filledsize, filled), true)`;

/**
 * Orders of some scope (a session, a symbol, or all) whose status has one of the keys, spelled however it is.
 *
 * An index serves only a status as it is stored. So the few spellings that the scope has are found first, each with one
 * look at the index, from one to the next higher one; then the orders of each that is wanted are read, through the same
 * index. A session with 100,000 orders in 10 statuses costs 11 looks more than one with 10. What is slow is a `status`
 * that is no status but different for each order.
 */
export function fromOrdersByStatus(parts: {
  /** Conditions of the scope, `and` after them; nothing for all orders. */
  readonly scope: SQL | undefined;
  /** The keys, as an array; the open statuses unless given. */
  readonly keys: SQL | undefined;
  /** What is selected of each order. */
  readonly columns: SQL | undefined;
  /** Further conditions, `and` before them. */
  readonly rest: SQL;
}): { readonly spellings: SQL; readonly orders: SQL } {
  const { scope, keys, columns, rest } = parts;
  return {
    spellings: sql`recursive spellings (status) as (
      select min(status) from orders where ${scope} status is not null
      union all
      select (select min(status) from orders where ${scope} status > spellings.status)
      from spellings where status is not null
    )`,
    // Two bounds and not an equality: of a value that it does not see the planner takes these for one row in 200, and an
    // equality, where there are only three statuses, for a third of the table. offset 0 keeps it one status at a time.
    orders: sql`spellings cross join lateral (
      select ${columns} from orders
      where ${scope} status >= spellings.status and status <= spellings.status ${rest}
      offset 0
    ) as found
    where ${isWanted(sql`spellings.status`, keys)}`,
  };
}

/** The keys of statuses, as one parameter. */
export function toStatusKeys(statuses: readonly string[] | undefined): string | undefined {
  if (statuses === undefined) return undefined;
  if (!Array.isArray(statuses) || statuses.length === 0 || statuses.length > maxStatuses) {
    throw new InvalidArgumentError(`statuses must name 1 to ${maxStatuses} statuses`);
  }
  // Not map, which passes over what is missing from a sparse array.
  return arrayLiteral(Array.from(statuses, (status) => toStatusKey(checkText('each of statuses', status))));
}

export function toSide(side: unknown): string | undefined {
  if (side === undefined) return undefined;
  const lower = typeof side === 'string' ? side.toLowerCase() : side;
  if (lower === 'buy' || lower === 'sell') return lower;
  throw new InvalidArgumentError("side must be 'buy' or 'sell', in whatever case");
}
