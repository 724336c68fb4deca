import type { PGlite } from '@electric-sql/pglite';

/** One thing that is proven: what, what the database says, and whether that is as it must be. */
export interface Proof {
  readonly what: string;
  readonly found: string;
  readonly holds: boolean;
}

const nineIndexes = [
  'idx_orders_session_symbol',
  'idx_fills_session_symbol',
  'idx_fills_session_order_symbol',
  'idx_fills_unique_dedup',
  'idx_sessions_pair_count',
  'idx_sessions_pairs_gin',
  'idx_sessions_settlement_discovery',
  'idx_orders_symbol_status',
  'idx_fills_symbol_timestamp',
];

/** Asks the migrated database itself: columns, indexes, the sessions' pairs, and the two plans that matter. */
export async function proveMigration(db: PGlite): Promise<Proof[]> {
  const columns = await count(
    db,
    `select count(*)::int as count from information_schema.columns
     where (table_name, column_name) in (('sessions', 'pairs'), ('sessions', 'pair_count'), ('orders', 'pair_index'))`,
  );
  const indexes = await count(
    db,
    `select count(*)::int as count from pg_index join pg_class on pg_class.oid = indexrelid
     where indisvalid and indisready and relname = any($1)`,
    [nineIndexes],
  );
  const mismatches = await count(
    db,
    `select count(*)::int as count from sessions
     where pair_count is distinct from jsonb_array_length(pairs)
        or (pairs = '[]' and coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is not null)`,
  );
  return [
    { what: 'new columns', found: `${columns} of 3`, holds: columns === 3 },
    { what: 'valid indexes', found: `${indexes} of 9`, holds: indexes === 9 },
    {
      what: 'sessions whose pairs or pair_count is wrong',
      found: String(mismatches),
      holds: mismatches === 0,
    },
    await provePlan(
      db,
      'plan of settlement discovery',
      `select id, startedat, pairs from sessions
       where settlesession = true and (settledcomplete is null or settledcomplete = false)
         and startedat >= (extract(epoch from now()) * 1000)::bigint - 86400000
       order by startedat desc, id desc limit 100`,
      /Index Scan (Backward )?using idx_sessions_settlement_discovery/,
    ),
    await provePlan(
      db,
      'plan of pair containment',
      `select id, startedat from sessions where pairs @> '["BTC/USD", "ETH/USD"]'`,
      /Bitmap Index Scan on idx_sessions_pairs_gin/,
    ),
  ];
}

async function count(db: PGlite, statement: string, parameters: unknown[] = []): Promise<number> {
  const result = await db.query<{ count: number }>(statement, parameters);
  return result.rows[0]?.count ?? 0;
}

async function provePlan(db: PGlite, what: string, statement: string, expected: RegExp): Promise<Proof> {
  const { rows } = await db.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${statement}`);
  const plan = rows.map((row) => row['QUERY PLAN'].trim()).join(' / ');
  const match = expected.exec(plan);
  return { what, found: match?.[0] ?? plan, holds: match !== null };
}
