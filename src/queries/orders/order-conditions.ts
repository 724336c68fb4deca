import { type SQL, sql } from 'drizzle-orm';
import { lowerSide } from './order-status.ts';

/** Where orders are looked for: in a session, a symbol of it, a symbol, or everywhere. */
interface Scope {
  readonly sessionId: SQL | undefined;
  readonly symbol: SQL | undefined;
}

// `is not distinct from` is a condition that no index serves. A planner without statistics takes all conditions for
// equally rare and may pick the index of a symbol that half of the table has.
export const andNarrower = ({ sessionId, symbol, side }: Scope & { readonly side: SQL | undefined }) =>
  sql`${symbol && sessionId && sql`and symbol is not distinct from ${symbol}`}
        ${side && sql`and ${lowerSide} = ${side}`}`;

/** The widest condition that is given, which is to choose the index. */
export function scopeOf({ sessionId, symbol }: Scope): SQL | undefined {
  if (sessionId) return sql`sessionid = ${sessionId} and`;
  return symbol && sql`symbol = ${symbol} and`;
}
