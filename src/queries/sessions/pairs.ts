import { type SQL, sql } from 'drizzle-orm';
import {
  arrayLiteral,
  checkInteger,
  checkLimit,
  checkOptionalText,
  checkText,
  maxInt4,
} from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { SessionKey } from '../core/keyset.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineLatestSessions } from './latest-sessions.ts';
import type { SessionSummary } from './session-summary.ts';

/** What the lists of sessions have in common. */
export interface SessionListOptions {
  /** Only sessions on this venue, compared exactly as stored. */
  readonly exchange?: string | undefined;
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
  /** The last row of the page before. */
  readonly after?: SessionKey | undefined;
}

/** The most pairs that a list may ask for, or a session hold: far more than any venue trades at once in one session. */
export const maxPairs = 1000;

// No operator of an index: only the condition itself is to choose one.
export const onExchange = (exchange: SQL | undefined): SQL | undefined =>
  exchange && sql`and exchange is not distinct from ${exchange}`;

type PairFilter = { pairs: string; exchange?: string | undefined };

const holdingAll = defineLatestSessions<PairFilter>({
  name: 'listSessionsByPairs',
  matches: (given) => sql`pairs @> ${given.pairs}::text::jsonb ${onExchange(given.exchange)}`,
  matchesUnindexed: (given) =>
    sql`coalesce(pairs, '[]') @> ${given.pairs}::text::jsonb ${onExchange(given.exchange)}`,
});

const holdingAny = defineLatestSessions<PairFilter>({
  name: 'listSessionsByPairs',
  matches: (given) => sql`pairs ?| ${given.pairs}::text::text[] ${onExchange(given.exchange)}`,
  matchesUnindexed: (given) =>
    sql`coalesce(pairs, '[]') ?| ${given.pairs}::text::text[] ${onExchange(given.exchange)}`,
});

// The upper bound says nothing, but a planner without the value assumes that a half-open range is a third of the table
// and a closed one 1 in 200: only then does it use the index.
const holdingMany = defineLatestSessions<{ minPairs: number; exchange?: string | undefined }>({
  name: 'listMultiPairSessions',
  matches: (given) =>
    sql`pair_count >= ${given.minPairs}::integer and pair_count <= ${sql.raw(String(maxInt4))} ${onExchange(given.exchange)}`,
  matchesUnindexed: (given) =>
    sql`pair_count + 0 >= ${given.minPairs}::integer ${onExchange(given.exchange)}`,
});

const startListSessionsByPair = defineCall<OptionsOf<typeof listSessionsByPair>>(
  'listSessionsByPair',
  'replica',
  { pair: true, exchange: true, limit: true, after: true },
);

/**
 * The sessions that hold a pair, the latest start first, those that never started last (by id, descending). The pair is
 * compared exactly as stored.
 *
 * Relies on `idx_sessions_startedat` and `idx_sessions_pairs_gin`. Measured on PostgreSQL 15 and 18 with a million
 * sessions, latest 100, custom and generic plan, with statistics and without (medians): held by 60 % 1 to 7 ms, by 2 %
 * 5 ms, by 1 % 9 ms, by 0.5 % 17 ms, by 0.01 % 3 ms, by none 2 ms; held by 1 % and only the oldest 10 ms. What takes
 * 0.3 to 0.4 s, as a sequential scan does: the first page of a pair that 60 % hold, but none of the latest 400,000, and
 * the last page of any pair that so many hold. `npm run bench -- pair-containment` measures it again.
 *
 * @example
 * const page = await listSessionsByPair(db, { pair: 'BTC/USD' });
 * const next = await listSessionsByPair(db, { pair: 'BTC/USD', after: page.at(-1) });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listSessionsByPair(
  db: Database,
  options: CallOptions & SessionListOptions & { readonly pair: string },
): Promise<SessionSummary[]> {
  const call = startListSessionsByPair(db, options);
  return holdingAll.list(
    call,
    { pairs: JSON.stringify([checkText('pair', options.pair)]), exchange: exchangeOf(options) },
    checkLimit(options.limit),
    options.after,
  );
}

const startListSessionsByPairs = defineCall<OptionsOf<typeof listSessionsByPairs>>(
  'listSessionsByPairs',
  'replica',
  { pairs: true, match: true, exchange: true, limit: true, after: true },
);

/**
 * The sessions that hold all of the pairs, or any of them, in the order of {@link listSessionsByPair} and on the same
 * indexes.
 *
 * @example
 * const both = await listSessionsByPairs(db, { pairs: ['BTC/USD', 'ETH/USD'], match: 'all' });
 * @throws InvalidArgumentError if `pairs` is empty or has more than 1000 elements; DatabaseError
 */
export async function listSessionsByPairs(
  db: Database,
  options: CallOptions &
    SessionListOptions & { readonly pairs: readonly string[]; readonly match: 'all' | 'any' },
): Promise<SessionSummary[]> {
  const call = startListSessionsByPairs(db, options);
  const pairs = checkPairs(options.pairs);
  if (pairs.length === 0) throw new InvalidArgumentError('pairs must name at least one pair');
  if (options.match !== 'all' && options.match !== 'any') {
    throw new InvalidArgumentError("match must be 'all' or 'any'");
  }
  const [query, value] =
    options.match === 'all' ? [holdingAll, JSON.stringify(pairs)] : [holdingAny, arrayLiteral(pairs)];
  return query.list(
    call,
    { pairs: value, exchange: exchangeOf(options) },
    checkLimit(options.limit),
    options.after,
  );
}

const startListMultiPairSessions = defineCall<OptionsOf<typeof listMultiPairSessions>>(
  'listMultiPairSessions',
  'replica',
  { minPairs: true, exchange: true, limit: true, after: true },
);

/**
 * The sessions that trade at least so many pairs, in the order of {@link listSessionsByPair}. Relies on
 * `idx_sessions_startedat` and `idx_sessions_pair_count`.
 *
 * @example
 * const page = await listMultiPairSessions(db, { minPairs: 3, limit: 20 });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listMultiPairSessions(
  db: Database,
  options: CallOptions & SessionListOptions & { readonly minPairs?: number | undefined } = {},
): Promise<SessionSummary[]> {
  const call = startListMultiPairSessions(db, options);
  const { minPairs = 2 } = options;
  checkInteger('minPairs', minPairs, { min: 0, max: maxInt4 });
  return holdingMany.list(
    call,
    { minPairs, exchange: exchangeOf(options) },
    checkLimit(options.limit),
    options.after,
  );
}

function exchangeOf(options: SessionListOptions): string | undefined {
  return checkOptionalText('exchange', options.exchange);
}

/** An array of strings, as the table's check constraint wants it. */
export function checkPairs(pairs: unknown, name = 'pairs'): readonly string[] {
  if (!Array.isArray(pairs)) throw new InvalidArgumentError(`${name} must be an array of strings`);
  if (pairs.length > maxPairs) {
    throw new InvalidArgumentError(`${name} must not have more than ${maxPairs} elements`);
  }
  // Not map, which passes over what is missing from a sparse array.
  return Array.from(pairs, (pair) => checkText(`${name}: each`, pair));
}
