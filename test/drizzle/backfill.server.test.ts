import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { migrate } from '../support/migrations.ts';
import { brokenPromises } from '../support/oddities.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

test.each(serverVersions)(
  'PostgreSQL %i: the backfill fills a table of full pages in place: it hardly grows, and few rows go into the indexes anew',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    // Autovacuum would make room in pages where the backfill has not been.
    await db.sql`alter table sessions set (autovacuum_enabled = false)`;
    await db.sql`
      insert into sessions (id, symbol, data)
      select i, 'BTC/USD', jsonb_build_object('note', repeat('x', 200)) from generate_series(1, 10000) as i`;
    const [before] = await db.sql`select pg_relation_size('sessions')::int as bytes`;
    await migrate(db.url);

    const [after] = await db.sql`select pg_relation_size('sessions')::int as bytes`;
    const readCounts = async () => {
      const [row] = await db.sql`
        select n_tup_upd::int as updated, n_tup_hot_upd::int as in_place from pg_stat_user_tables where relname = 'sessions'`;
      return { updated: Number(row?.['updated']), inPlace: Number(row?.['in_place']) };
    };
    // A session tells its counts when it ends, at the latest.
    await until(async () => (await readCounts()).updated === 10_000, 'all updates are counted');
    expect((await readCounts()).inPlace).toBeGreaterThan(5_000);
    expect(after?.['bytes']).toBeLessThan(1.5 * Number(before?.['bytes']));
    expect(await db.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
  },
);
