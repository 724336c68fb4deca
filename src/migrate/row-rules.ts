/** What the rows of a table must keep. It is particular to this schema; the engine only counts what breaks it. */
export interface RowRule {
  readonly object: string;
  readonly expected: string;
  /** What breaks it, after a number: `17 sessions …`. */
  readonly broken: string;
  readonly table: string;
  /** Columns that the condition reads. Where one is missing there is nothing to count yet. */
  readonly columns: readonly string[];
  /** SQL over the table: true of a row that breaks the rule. */
  readonly condition: string;
  /** Tag of the migration that puts such rows right; undefined where nobody but the operator can know what is right. */
  readonly migration: string | undefined;
}

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
