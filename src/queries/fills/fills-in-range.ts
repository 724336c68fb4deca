import { sql } from 'drizzle-orm';
import type { Fill } from '../../schema/index.ts';
import { checkInteger, checkLimit, checkRange, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { toKeyValues } from '../core/keyset.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { type FillPage, fillFields } from './fills.ts';

/** Fills of one pair, of all sessions, from an instant to another: `fromMs <= timestamp < toMs`, epoch ms. */
export interface RangeFillFilter {
  /** The pair, exactly as stored. */
  readonly symbol: string;
  readonly fromMs: number;
  readonly toMs: number;
}

// One page from the key on, whatever follows; then what lies beyond the range is cut off. A single lower bound, of symbol
// and time as one, leaves the planner nothing but a walk of the index of the two: with both bounds, or each for itself,
// it may walk along the time alone and read what all other pairs traded. (One that has neither statistics nor values may
// still take the fills of the pair from `idx_fills_symbol` and sort them.)
const rangeFills = defineQuery<
  {
    symbol: string;
    fromMs: number;
    toMs: number;
    afterMs?: number | undefined;
    afterId?: string | undefined;
    limit: number;
  },
  typeof fillFields
>({
  name: 'listFillsInRange',
  fields: fillFields,
  statement: (given, columns) => sql`
select ${columns()}
from (
  select ${columns()}
  from fills
  where ${
    given.afterId
      ? sql`(symbol, "timestamp", id) > (${given.symbol}::text, ${given.afterMs}::bigint, ${given.afterId}::text)`
      : sql`(symbol, "timestamp") >= (${given.symbol}::text, ${given.fromMs}::bigint)`
  }
  order by symbol, "timestamp", id
  limit ${given.limit}
) as page
where symbol = ${given.symbol} and "timestamp" < ${given.toMs}::bigint
order by "timestamp", id`,
});

const startListFillsInRange = defineCall<OptionsOf<typeof listFillsInRange>>('listFillsInRange', 'replica', {
  symbol: true,
  fromMs: true,
  toMs: true,
  limit: true,
  after: true,
});

/**
 * The fills of a pair, of all sessions, with `fromMs <= timestamp < toMs`; the oldest first. `after: page.at(-1)` gives
 * the next page. A fill without a timestamp is in no range. Index: `idx_fills_symbol_timestamp`, walked from the key.
 *
 * @throws {InvalidArgumentError} `toMs` lies before `fromMs`; `limit` or `after` is not what it must be.
 * @throws {DatabaseError}
 * @example
 * const hour = await listFillsInRange(db, { symbol: 'BTC/USD', fromMs: 1723161600000, toMs: 1723165200000 });
 */
export async function listFillsInRange(
  db: Database,
  options: CallOptions & RangeFillFilter & FillPage,
): Promise<Fill[]> {
  const call = startListFillsInRange(db, options);
  const range = checkRange(options);
  if (options.after !== undefined) {
    checkInteger('after.timestamp', options.after?.timestamp, { min: range.fromMs });
  }
  return rangeFills.list(call, {
    symbol: checkText('symbol', options.symbol),
    ...range,
    ...toKeyValues('timestamp', options.after),
    limit: checkLimit(options.limit),
  });
}
