import type { Sql } from 'postgres';
import { vi } from 'vitest';
import { backupDatabase } from '../../src/ops/backup/backup.ts';
import { findPrograms } from './client-programs.ts';
import type { TestDatabase } from './database.ts';
import type { ServerVersion } from './server.ts';

/** The environment in which the command line finds pg_dump of a version. */
export const env = (version: ServerVersion): Record<string, string> => ({
  PG_BIN: findPrograms(version) ?? '',
});

/** 2,000 sessions, orders and fills. */
export async function fillWithRows(sql: Sql): Promise<void> {
  await sql`insert into sessions (id, symbol, data)
    select 's' || n, 'BTC/USD', jsonb_build_object('note', md5(n::text)) from generate_series(1, 2000) as n`;
  await sql`insert into orders (id, sessionid, price) select 'o' || n, 's' || n, n / 3.0 from generate_series(1, 2000) as n`;
  await sql`insert into fills (id, orderid, price, tradeid) select 'f' || n, 'o' || n, 'NaN', 9007199254740993 + n from generate_series(1, 2000) as n`;
}

/** A checksum of every row of the four tables, bit for bit. */
export const checksum = async (sql: Sql): Promise<unknown> => [
  ...(await sql.unsafe(
    ['sessions', 'orders', 'fills', 'multi_pair_db.migrations']
      .map(
        (name) =>
          `select '${name}' as name, count(*)::int as rows, md5(string_agg(md5(t::text), '' order by id)) as sum from ${name} as t`,
      )
      .join(' union all '),
  )),
];

/** Backs up in this process, with the programs of a version. The test unstubs its environment. */
export async function backUpInto(
  folder: string,
  db: Pick<TestDatabase, 'url'>,
  version: ServerVersion,
  scope: 'database' | 'tables' = 'database',
): Promise<string> {
  vi.stubEnv('PG_BIN', findPrograms(version));
  return (await backupDatabase(db.url, { folder, scope })).path;
}

/** Are new sessions kept out of a database? Asked on another one. */
export async function isClosed(admin: Sql, { name }: Pick<TestDatabase, 'name'>): Promise<boolean> {
  const [row] =
    await admin`select not datallowconn or datconnlimit <> -1 as closed from pg_database where datname = ${name}`;
  return row?.['closed'] === true;
}
