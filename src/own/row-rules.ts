import type { RowRule } from '../migrate/project.ts';

/** The same reading of the old columns as the trigger's: an empty name is no name. */
export const ownPair = `coalesce(nullif(symbol, ''), nullif(tradingpair, ''))`;
const pairCount = `case when jsonb_typeof(pairs) = 'array' then jsonb_array_length(pairs) end`;

/** Not an array of strings: what the table's rule refuses. */
export const isNoPairList = `(jsonb_typeof(pairs) <> 'array' or jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true))`;

/**
 * Position of an order's symbol in its session's pairs. Only sessions with many pairs can have another one than 0, and
 * they are few: the others are not looked up one by one.
 */
const isMisplaced = `(pair_index is distinct from 0 or sessionid in (select id from sessions where pair_count > 1))
      and pair_index is distinct from coalesce((
        select min(e.ordinality)::integer - 1
        from sessions as s cross join lateral jsonb_array_elements_text(s.pairs) with ordinality as e (pair)
        where s.id = orders.sessionid and e.pair = orders.symbol and jsonb_typeof(s.pairs) = 'array'), pair_index)`;

const migration = '0001_multi_pair_support';

/** What the rows of these tables must keep. */
export const rowRules: readonly RowRule[] = [
  {
    object: 'rows of sessions.pair_count',
    expected: 'the length of pairs',
    broken: 'with another number',
    table: 'sessions',
    columns: ['sessions.pairs', 'sessions.pair_count'],
    condition: `pair_count is distinct from ${pairCount}`,
    migration,
  },
  {
    object: 'rows of sessions.pairs',
    expected: 'the symbol (else the tradingpair) in pairs, where a session has one',
    broken: 'with a symbol or tradingpair, and no pairs',
    table: 'sessions',
    columns: ['sessions.pairs', 'sessions.symbol', 'sessions.tradingpair'],
    condition: `(pairs is null or pairs in ('[]', '[""]')) and ${ownPair} is not null`,
    migration,
  },
  {
    object: 'rows of sessions.pairs',
    expected: 'an array of strings',
    broken: 'with something else',
    table: 'sessions',
    columns: ['sessions.pairs'],
    condition: isNoPairList,
    migration: undefined,
  },
  {
    object: 'rows of sessions.pairs',
    expected: 'the symbol or the tradingpair, where it is one pair',
    broken: 'with one pair that is neither their symbol nor their tradingpair',
    table: 'sessions',
    columns: ['sessions.pairs', 'sessions.symbol', 'sessions.tradingpair'],
    condition: `pair_count = 1 and ${ownPair} is not null
      and not (pairs ? symbol) is true and not (pairs ? tradingpair) is true and pairs <> '[""]'`,
    migration: undefined,
  },
  {
    object: 'rows of orders.pair_index',
    expected: 'the position of their symbol in the pairs of their session',
    broken: 'with another position',
    table: 'orders',
    columns: ['orders.pair_index', 'orders.symbol', 'sessions.pairs', 'sessions.pair_count'],
    condition: isMisplaced,
    migration,
  },
];
