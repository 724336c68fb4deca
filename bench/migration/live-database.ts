import postgres, { type Sql } from 'postgres';
import { readLegacySchema } from '../../test/support/migrations.ts';
import { startServer, type TestServer } from '../../test/support/server.ts';

/** BENCH_ROWS for a first look: the goals are for a million. */
export const rowCount = Number(process.env['BENCH_ROWS'] ?? 1_000_000);

/** Makes the next live database, the same each time, and gives its URL. */
export type NextDatabase = () => Promise<string>;

/**
 * A server with the settings of one that must not lose a commit, and live databases on it: single-pair ones, unless `prepare`
 * makes something else of what all are copied from.
 */
export async function withLiveDatabases<T>(
  work: (next: NextDatabase, server: TestServer) => Promise<T>,
  {
    rows = rowCount,
    prepare,
  }: { readonly rows?: number; readonly prepare?: (url: string) => Promise<void> } = {},
): Promise<T> {
  const server = await startServer(18, { shared_buffers: '1GB', max_wal_size: '8GB', fsync: 'on' });
  try {
    const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
    await admin`create database live`;
    await load(server.url('live'), rows);
    await prepare?.(server.url('live'));
    let previous: string | undefined;
    let count = 0;
    const result = await work(async () => {
      if (previous !== undefined) await admin`drop database ${admin(previous)} with (force)`;
      previous = `trading_${++count}`;
      await admin`create database ${admin(previous)} template live strategy file_copy`;
      // A live database has had checkpoints, and uses old WAL segments again. Without one the server fills a new segment with
      // zeros every 16 MB, and commits wait for that: 185 ms once, 60 ms all the time.
      await admin`checkpoint`;
      return server.url(previous);
    }, server);
    await admin.end();
    return result;
  } finally {
    await server.destroy();
  }
}

async function load(url: string, rows: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(await readLegacySchema());
  // No foreign keys, whose rows are there by construction.
  await sql`set session_replication_role = replica`;
  await withoutIndexes(sql, () => insertRows(sql, rows));
  await sql.unsafe('vacuum analyze');
  await sql.end();
}

/** Builds the indexes when the rows are there: as large as row by row, and ten million are there in half the time. */
async function withoutIndexes(sql: Sql, work: () => Promise<void>): Promise<void> {
  const indexes = await sql`
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index as i
    where i.indrelid in ('sessions'::regclass, 'fills'::regclass)
      and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)`;
  for (const index of indexes) await sql.unsafe(`drop index ${index['name']}`);
  await work();
  for (const index of indexes) await sql.unsafe(index['definition']);
}

async function insertRows(sql: Sql, rows: number): Promise<void> {
  await sql.unsafe(`
    insert into sessions (id, symbol, tradingpair, exchange, status, startedat, settlesession, settledcomplete, data)
    select 's' || lpad(i::text, 8, '0'),
           case when i % 10 < 7 then (array['BTC/USD', 'ETH/USD', 'SOL/USD'])[1 + i % 3] end,
           case when i % 10 < 9 then 'BTC/USD' end,
           'kraken', 'completed', 1700000000000 + i * 1000::bigint, i % 2 = 0,
           case i % 3 when 0 then true when 1 then false end,
           jsonb_build_object('note', repeat('x', 200))
    from generate_series(1, ${rows}) as i`);
  await sql.unsafe(`
    insert into fills (id, sessionid, symbol, side, size, price, "timestamp", tradeid)
    select 'f' || i, 's' || lpad((1 + i % ${rows})::text, 8, '0'), 'BTC/USD', 'buy', 0.5, 60000 + i % 100,
           1700000000000 + i, i
    from generate_series(1, ${rows}) as i`);
}
