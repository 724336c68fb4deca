import postgres from 'postgres';
import { afterAll, expect, test } from 'vitest';
import { readCatalog } from '../support/catalog.ts';
import { runProjectKit } from '../support/drizzle-kit.ts';
import { tags } from '../support/facts.ts';
import { migrate, readLegacySchema } from '../support/migrations.ts';
import { brokenPromises, checksumOfOldColumns, oddities } from '../support/oddities.ts';
import { serverVersions, startServer, type TestServer } from '../support/server.ts';

const servers: TestServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.destroy())));

/** What the server is doing when the power goes, and how to see that it is. */
const moments = [
  ['the backfill', `select count(*) filter (where pairs <> '[]') > 2000 as reached from sessions`],
  [
    'an index build',
    `select count(*) > 0 as reached from pg_stat_progress_create_index where phase like 'building%'`,
  ],
] as const;

test.each(
  serverVersions.flatMap((version) => moments.map(([moment, reached]) => ({ version, moment, reached }))),
)(
  'PostgreSQL $version: SIGKILL in the middle of $moment, start, migrate again: complete, valid, nothing lost',
  async ({ version, reached }) => {
    const server = await startServer(version, { fsync: 'on' });
    servers.push(server);
    const url = server.url('postgres');
    const before = await withSession(url, async (sql) => {
      await sql.unsafe(await readLegacySchema());
      await sql.unsafe(oddities);
      await sql.unsafe(`
        insert into sessions (id, symbol) select 'many ' || i, 'BTC/USD' from generate_series(1, 40000) as i;
        insert into fills (id, sessionid, symbol, price, size, "timestamp", tradeid)
        select 'many ' || i, 'many ' || 1 + i % 40000, 'BTC/USD', i % 1000, 1, i, i from generate_series(1, 300000) as i`);
      return sql.unsafe(checksumOfOldColumns);
    });

    // In a process of its own: postgres.js throws past its caller when the server of a transaction is gone.
    const migration = runProjectKit(['migrate'], { DATABASE_URL: url });
    const moment = withSession(url, async (sql) => {
      // The column may not be there yet: then this moment has not come.
      const isReached = () =>
        sql.unsafe(reached).then(
          (rows) => rows[0]?.['reached'] === true,
          () => false,
        );
      while (!(await isReached())) await new Promise((resolve) => setTimeout(resolve, 2));
      return 'reached';
    });
    expect(await Promise.race([moment, migration])).toBe('reached');
    await server.kill();
    expect(await migration).toMatchObject({ code: 1 });

    await server.start();
    await migrate(url);
    const [after, promises, catalog, journal] = await withSession(url, (sql) =>
      Promise.all([
        sql.unsafe(checksumOfOldColumns),
        sql.unsafe(brokenPromises),
        sql.unsafe(readCatalog),
        sql`select count(*)::int as files from multi_pair_db.migrations`,
      ]),
    );
    expect(after).toEqual(before);
    expect(promises).toEqual([{ miscounted: 0, without_pairs: 0 }]);
    expect(journal).toEqual([{ files: tags.length }]);
    const fresh = await withSession(url, (sql) => sql`create database fresh`).then(async () => {
      await migrate(server.url('fresh'));
      return withSession(server.url('fresh'), (sql) => sql.unsafe(readCatalog));
    });
    expect(catalog).toEqual(fresh);
  },
);

async function withSession<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}
