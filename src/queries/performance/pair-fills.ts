import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../core/database.ts';
import { andPastKeyAscending, highestTime, lowestTime } from '../core/keyset.ts';
import { type Computed, defineQuery, type Given } from '../core/query.ts';
import { feeColumns, feeLines } from './fee-lines.ts';

/** Which fills: of a session, of all sessions of an exchange, or all. */
export type PnlScope =
  | { readonly sessionId: string; readonly exchange?: undefined }
  | { readonly exchange: string; readonly sessionId?: undefined }
  | { readonly sessionId?: undefined; readonly exchange?: undefined };

/** The same as values of a query, up to an instant, if given. */
export type ScopeValues = {
  sessionId?: string | undefined;
  exchange?: string | undefined;
  atMs?: number | undefined;
};

/** The first page of a pair. It is as long where the pair is short, and then is full of other pairs. */
const firstPageSize = 1000;
/** All others: 10,000 slim rows are about 2 MB, and all that is held at a time. */
const pageSize = 10_000;

const textOrNull = (expression: SQL): Computed<string | null> => ({ expression, decode: String });

const pairFields = {
  symbol: textOrNull(sql`t.symbol`),
  unplacedCount: { expression: sql`t.unplaced_count`, decode: Number },
};

/** A pair, and how many of its fills have no place in its order. */
export type TradedPair = { readonly symbol: string | null; readonly unplacedCount: number };

type PairValues = ScopeValues & { afterSymbol?: string | undefined; limit: number };

/** How many have no place in the order of a pair. Those without a pair count up to the instant, if they have a time. */
const countUnplaced = (given: Given<PairValues>): SQL => {
  const pairless = given.atMs
    ? sql`(symbol is null and "timestamp" <= ${given.atMs}::bigint)`
    : sql`symbol is null`;
  return sql`count(*) filter (where "timestamp" is null or ${pairless})`;
};

/** Of the fills of one session, or of those of an exchange, session by session. */
function pairsOfSessions(given: Given<PairValues>): SQL {
  const past = given.afterSymbol && sql`and (symbol > ${given.afterSymbol} or symbol is null)`;
  // offset 0, or a planner may read what all other exchanges traded, and sort it out by their sessions.
  const ofExchange = sql`(select id from sessions where exchange = ${given.exchange}) as s
  cross join lateral (
    select symbol, "timestamp" from fills where sessionid = s.id ${past} offset 0
  ) as k`;
  return sql`
  select symbol, ${countUnplaced(given)} as unplaced_count
  from ${given.sessionId ? sql`fills where sessionid = ${given.sessionId} ${past}` : ofExchange}
  group by symbol`;
}

/** From each pair to the next, by the index: as many steps as pairs, however many fills they have. */
const walkOfPairs = (given: Given<PairValues>): SQL => sql`
with recursive pairs (symbol, ordinal) as (
  select min(symbol), 1 from fills where ${given.afterSymbol ? sql`symbol > ${given.afterSymbol}` : sql`symbol is not null`}
  union all
  select (select min(symbol) from fills where symbol > pairs.symbol), ordinal + 1
  from pairs
  where symbol is not null and ordinal < ${given.limit}::integer
)`;

const allPairs = (given: Given<PairValues>): SQL => sql`
  select symbol, (
    select count(*) from fills where fills.symbol = pairs.symbol and "timestamp" is null
  ) as unplaced_count
  from pairs
  where symbol is not null
  union all
  select null, ${countUnplaced(given)} from fills where symbol is null having count(*) > 0`;

const fillFields = {
  id: { expression: sql`k.id`, decode: String },
  /** Epoch ms, as text: the key of the next page must be exact, whatever a service has stored. */
  timestampMs: { expression: sql`k."timestamp"::text`, decode: String },
  side: textOrNull(sql`k.side`),
  price: textOrNull(sql`k.price`),
  size: textOrNull(sql`k.size`),
  isInScope: { expression: sql`k.is_in_scope`, decode: (value: unknown) => value === true },
  fees: {
    expression: sql`case when k.is_in_scope and (k.fee_document is not null or k.fallback is not null) then (
    select json_agg(json_build_array(line.currency, line.amount))::text from (${feeLines}) as line
  ) end`,
    decode: (value: unknown): (readonly [currency: string | null, amount: string])[] | null =>
      JSON.parse(String(value)),
  },
};

/** A fill of a pair: what P&L needs of it, decimals as PostgreSQL writes them. */
export interface PairFill {
  readonly timestampMs: string;
  /** In lower case. */
  readonly side: string | null;
  readonly price: string | null;
  readonly size: string | null;
  readonly fees: readonly (readonly [currency: string | null, amount: string])[] | null;
}

type FillValues = ScopeValues & {
  symbol: string;
  afterMs?: string | undefined;
  afterId?: string | undefined;
  limit: number;
};

const isOfExchange = (exchange: SQL): SQL =>
  sql`coalesce((select exchange from sessions where sessions.id = fills.sessionid) = ${exchange}, false)`;

// As in listFills: nothing but the session and the pair may choose the index.
const ofSession = (
  given: Given<FillValues>,
): SQL => sql`where sessionid = ${given.sessionId} and symbol = ${given.symbol}
    and "timestamp" is not null
    ${given.atMs && sql`and coalesce("timestamp", ${highestTime}) <= ${given.atMs}::bigint`}
    ${andPastKeyAscending(sql`"timestamp"`, given)}
  order by coalesce("timestamp", ${highestTime}), id`;

// As in listFillsInRange: a page from the key on, whatever follows, or a planner may read the whole pair for each page.
// So those of other exchanges are in it, too: left out here, the walk would go on through other pairs for more.
const ofAll = (given: Given<FillValues>): SQL => sql`where ${
  given.afterId
    ? sql`(symbol, "timestamp", id) > (${given.symbol}::text, ${given.afterMs}::bigint, ${given.afterId}::text)`
    : sql`(symbol, "timestamp") >= (${given.symbol}::text, ${lowestTime})`
}
  order by symbol, "timestamp", id`;

/** What reads the fills for one of the functions, whose name its statements and errors have. */
export interface PnlReader {
  /** The pairs of a scope in the order of their names; the fills that name none come last, as if they were one. */
  listPairs(db: Database, values: PairValues): Promise<TradedPair[]>;
  /** The fills of a pair that have a timestamp, in the order of timestamp and id, page by page. */
  readFills(db: Database, values: PairScope): AsyncGenerator<readonly PairFill[]>;
}

type PairScope = ScopeValues & { readonly symbol: string };

export function createPnlReader(name: string): PnlReader {
  const pairs = defineQuery<PairValues, typeof pairFields>({
    name,
    fields: pairFields,
    statement: (given, columns) => sql`${given.sessionId || given.exchange ? undefined : walkOfPairs(given)}
select ${columns()}
from (${given.sessionId || given.exchange ? pairsOfSessions(given) : allPairs(given)}
) as t
order by t.symbol
limit ${given.limit}`,
  });
  const fillsOfPair = defineQuery<FillValues, typeof fillFields>({
    name,
    fields: fillFields,
    statement: (given, columns) => sql`
select ${columns()}
from (
  select id, symbol, "timestamp", lower(side) as side, price::text as price,
    coalesce(size, amount, quantity)::text as size, ${feeColumns},
    ${given.exchange ? isOfExchange(given.exchange) : sql`true`} as is_in_scope
  from fills
  ${given.sessionId ? ofSession(given) : ofAll(given)}
  limit ${given.limit}
) as k
where k.symbol = ${given.symbol} and k."timestamp" ${given.atMs ? sql`<= ${given.atMs}::bigint` : sql`is not null`}
order by k."timestamp", k.id`,
  });
  async function* readFills(db: Database, values: PairScope) {
    let key: { afterMs?: string; afterId?: string } = {};
    for (let limit = firstPageSize; ; limit = pageSize) {
      const page = await fillsOfPair.list(db, { ...values, ...key, limit });
      yield page.filter(({ isInScope }) => isInScope);
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return;
      key = { afterMs: last.timestampMs, afterId: last.id };
    }
  }
  return { listPairs: pairs.list, readFills };
}
