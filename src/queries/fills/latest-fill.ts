import { sql } from 'drizzle-orm';
import type { Fill } from '../../schema/index.ts';
import { checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { highestTime, lowestTime } from '../core/keyset.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { fillFields, ofSession, type SessionFillFilter, toSessionValues } from './fills.ts';

const latestOfSession = defineQuery<
  { sessionId: string; symbol?: string | undefined; orderId?: string | undefined },
  typeof fillFields
>({
  name: 'findLatestFill',
  fields: fillFields,
  statement: (given, columns) => sql`
select ${columns()}
from fills
where ${ofSession(given)}
  and "timestamp" is not null
order by coalesce("timestamp", ${highestTime}) desc, id desc
limit 1`,
});

const latestOfSymbol = defineQuery<{ symbol: string }, typeof fillFields>({
  name: 'findLatestFill',
  fields: fillFields,
  statement: (given, columns) => sql`
select ${columns()}
from fills
where (symbol, "timestamp") >= (${given.symbol}::text, ${lowestTime})
  and (symbol, "timestamp") <= (${given.symbol}::text, ${highestTime})
order by symbol desc, "timestamp" desc, id desc
limit 1`,
});

const startFindLatestFill = defineCall<OptionsOf<typeof findLatestFill>>('findLatestFill', 'replica', {
  sessionId: true,
  symbol: true,
  orderId: true,
});

/**
 * The latest fill of a session (of a pair or an order of it), or of a pair in all sessions: the one with the highest
 * timestamp, and among equals the highest id. A fill without a timestamp is never the latest. Indexes: as for
 * `listFills`; for a pair `idx_fills_symbol_timestamp`, from its end.
 *
 * @throws {InvalidArgumentError} neither a session nor a symbol is given.
 * @throws {DatabaseError}
 * @example
 * const latest = await findLatestFill(db, { symbol: 'BTC/USD' });
 */
export async function findLatestFill(
  db: Database,
  options: CallOptions &
    (
      | SessionFillFilter
      | {
          readonly symbol: string;
          readonly sessionId?: undefined;
          readonly orderId?: undefined;
        }
    ),
): Promise<Fill | undefined> {
  const call = startFindLatestFill(db, options);
  if (options.sessionId !== undefined) return latestOfSession.find(call, toSessionValues(options));
  if (options.orderId !== undefined) throw new InvalidArgumentError('orderId needs its sessionId');
  return latestOfSymbol.find(call, { symbol: checkText('symbol', options.symbol) });
}
