import type { Fill } from '../../schema/index.ts';
import { checkLimit } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { listFills, type SessionFillFilter } from './fills.ts';
import { listFillsInRange, type RangeFillFilter } from './fills-in-range.ts';

/** Which fills: of a session, or of a pair in a range; not both. */
export type FillFilter =
  | (SessionFillFilter & { readonly fromMs?: undefined; readonly toMs?: undefined })
  | (RangeFillFilter & { readonly sessionId?: undefined; readonly orderId?: undefined });

/** A page of fills is about 300 kB; fewer round trips than this buy little. */
const defaultPageSize = 1000;

const startStreamFills = defineCall<OptionsOf<typeof streamFills>>('streamFills', 'replica', {
  sessionId: true,
  symbol: true,
  orderId: true,
  fromMs: true,
  toMs: true,
  pageSize: true,
});

/**
 * All fills of a session or of a pair in a range, one by one, the oldest first: what {@link listFills} or
 * {@link listFillsInRange} gives, page after page. Holds one page in memory (`pageSize`, 1 to 1000, 1000 unless given)
 * and no cursor, lock or connection between pages. A fill that is inserted meanwhile is met if it lies ahead.
 *
 * `break` or `return()` ends it; so does `signal`, whose reason is thrown at once, also while a page is read. `timeoutMs`
 * is the time that a page may take, not all of them.
 *
 * @throws {InvalidArgumentError} both filters or neither are given, or `pageSize` is not what it must be.
 * @throws {DatabaseError}
 * @example
 * for await (const fill of streamFills(db, { sessionId: 's-1', signal: AbortSignal.timeout(60_000) })) {
 *   console.log(fill.symbol, fill.price, fill.size);
 * }
 */
export async function* streamFills(
  db: Database,
  options: CallOptions & FillFilter & { readonly pageSize?: number | undefined },
): AsyncGenerator<Fill, undefined, undefined> {
  const call = startStreamFills(db, options);
  const { pageSize = defaultPageSize, signal, timeoutMs, sessionId, orderId, symbol, fromMs, toMs } = options;
  const limit = checkLimit(pageSize, 'pageSize');
  const isRange = fromMs !== undefined || toMs !== undefined;
  if (isRange === (sessionId !== undefined) || (isRange && orderId !== undefined)) {
    throw new InvalidArgumentError('give either sessionId, or symbol, fromMs and toMs');
  }
  // All pages of one replica, and each in its own time.
  const bounds = { limit, signal, timeoutMs };
  const readPage = (after: Fill | undefined): Promise<Fill[]> =>
    isRange
      ? listFillsInRange(call, { ...bounds, symbol, fromMs, toMs, after })
      : listFills(call, { ...bounds, sessionId, symbol, orderId, after });
  let after: Fill | undefined;
  for (;;) {
    const page = await readPage(after);
    for (const fill of page) {
      signal?.throwIfAborted();
      yield fill;
    }
    after = page.at(-1);
    if (page.length < limit) return;
  }
}
