import type { Sql, TransactionSql } from 'postgres';

/**
 * Fills `sessions` by SQL, a million in about 15 s: without the trigger, and with the indexes built afterwards. No
 * statistics are gathered, and autovacuum, which would gather them, is off.
 *
 * Every session starts a second after the one before, one in 100 never. Of the pairs, `COMMON` is held by 60 %, `ONE`
 * by 1 %, `RARE` by 0.01 %, `OLD` by the oldest 60 % and `FEW` by the oldest 1 %. One in ten is not to be settled; of the rest, the
 * newest (one of `unsettled` sessions) are not settled yet.
 */
export async function loadSessions(sql: Sql, count: number, unsettled: number): Promise<void> {
  await withoutIndexes(sql, 'sessions', async (tx) => {
    await tx`
      insert into sessions (id, sessionid, symbol, exchange, strategy, tradingmode, status, startedat, addedat,
        settlesession, settledcomplete, settings, pairs, pair_count)
      select md5(i::text), 'session ' || i, 'COMMON', (array['kraken', 'okx', 'binance'])[i % 3 + 1], 'grid', 'live',
        'completed', case when i % 100 <> 37 then ${firstStartMs}::bigint + i * 1000::bigint end,
        ${firstStartMs}::bigint + i * 1000::bigint, i % 10 <> 0,
        case when i % 10 <> 0 and i <= ${count - unsettled}::integer then true end,
        '{"depth": 5, "spread": 0.002, "note": "as wide as a small settings document"}',
        held.pairs, jsonb_array_length(held.pairs)
      from generate_series(1, ${count}::integer) as i
      cross join lateral (
        select coalesce(jsonb_agg(pair), '[]') as pairs
        from (values
          ('COMMON', hashint4(i) & 1023 < 614), ('ONE', hashint4(-i) & 1023 < 10), ('RARE', i % 10000 = 5),
          ('OLD', i < ${count}::integer * 0.6), ('FEW', i < ${count}::integer * 0.01)
        ) as p (pair, is_held)
        where is_held
      ) as held`;
  });
}

/** Start of the session before the first. */
export const firstStartMs = 1_700_000_000_000;

/** Orders of the loaded sessions: 100 each for one session in 100, so `count` of them for `count` sessions. */
export async function loadOrders(sql: Sql, count: number): Promise<void> {
  await withoutIndexes(sql, 'orders', async (tx) => {
    await tx`
      insert into orders (id, sessionid, clientorderid, symbol, side, type, status, size, price, timestamp, data)
      select md5(i::text), md5(((i - 1) / 100 * 100 + 1)::text), 'c' || i, 'COMMON',
        case when i % 2 = 0 then 'buy' else 'sell' end, 'limit', case when i % 1000 = 0 then 'open' else 'filled' end,
        0.5, 100 + i % 1000, ${firstStartMs}::bigint + i, jsonb_build_object('exchangeOrderId', 'x' || i)
      from generate_series(1, ${count}::integer) as i`;
  });
}

/**
 * A fill a second for each of the loaded orders, so 100 of a session: `COMMON` but for one in 10,000 of `RARE`, which come
 * last.
 */
export async function loadFills(sql: Sql, count: number): Promise<void> {
  await withoutIndexes(sql, 'fills', async (tx) => {
    await tx`
      insert into fills (id, orderid, sessionid, symbol, side, price, size, tradeid, timestamp)
      select md5(i::text), md5(i::text), md5(((i - 1) / 100 * 100 + 1)::text),
        case when i > ${count}::integer * 0.9999 then 'RARE' else 'COMMON' end,
        case when i % 2 = 0 then 'buy' else 'sell' end, 100 + i % 1000, 0.5, i,
        ${firstStartMs}::bigint + i * 1000::bigint
      from generate_series(1, ${count}::integer) as i`;
  });
}

async function withoutIndexes(
  sql: Sql,
  table: 'sessions' | 'orders' | 'fills',
  insert: (tx: TransactionSql) => Promise<void>,
): Promise<void> {
  await sql.begin(async (tx) => {
    const indexes = await tx<{ name: string; definition: string }[]>`
      select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where indrelid = ${table}::regclass and not indisprimary`;
    for (const { name } of indexes) await tx.unsafe(`drop index ${name}`);
    await tx.unsafe(`alter table ${table} set (autovacuum_enabled = false)`);
    await tx`set local session_replication_role = replica`;
    await insert(tx);
    for (const { definition } of indexes) await tx.unsafe(definition);
  });
}

/** As after `analyze`, or as before the first one. */
export async function setStatistics(sql: Sql, state: 'fresh' | 'none'): Promise<void> {
  if (state === 'fresh') await sql`analyze sessions, orders, fills`;
  else {
    await sql`delete from pg_statistic where starelid in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass)`;
    await sql`
      update pg_class set reltuples = -1, relpages = 0
      where oid in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass)`;
  }
}
