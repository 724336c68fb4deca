import type { RowRule } from '../migrate/project.ts';

/** The same reading of the old columns as the trigger's: an empty name is no name. */
const ownPair = `coalesce(nullif(symbol, ''), nullif(tradingpair, ''))`;
const pairCount = `case when jsonb_typeof(pairs) = 'array' then jsonb_array_length(pairs) end`;

export const rowRules: readonly RowRule[] = [
  {
    object: 'rows of sessions.pair_count',
    expected: 'the length of pairs',
    broken: 'with another number',
    table: 'sessions',
    columns: ['pairs', 'pair_count'],
    condition: `pair_count is distinct from ${pairCount}`,
    migration: '0001_multi_pair_support',
  },
  {
    object: 'rows of sessions.pairs',
    expected: 'the symbol (else the tradingpair) in pairs, where a session has one',
    broken: 'with a symbol or tradingpair, and no pairs',
    table: 'sessions',
    columns: ['pairs', 'symbol', 'tradingpair'],
    condition: `(pairs is null or pairs = '[]') and ${ownPair} is not null`,
    migration: '0001_multi_pair_support',
  },
  {
    object: 'rows of sessions.pairs',
    expected: 'an array of strings',
    broken: 'with something else',
    table: 'sessions',
    columns: ['pairs'],
    condition: `jsonb_typeof(pairs) <> 'array' or jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true)`,
    migration: undefined,
  },
];
