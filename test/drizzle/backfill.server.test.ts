import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { splitStatements } from '../../src/migrate/history/folder.ts';
import { createDatabase } from '../support/database.ts';
import { migrate } from '../support/migrations.ts';
import { brokenPromises } from '../support/oddities.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

/** A block of 0001, by its label. */
async function readBlock(label: string): Promise<string> {
  const file = await readFile(new URL('../../drizzle/0001_multi_pair_support.sql', import.meta.url), 'utf8');
  const block = splitStatements(file).find(({ sql }) => sql.includes(`do $${label}$`));
  if (block === undefined) throw new Error(`0001 has no block ${label}`);
  return block.sql;
}

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

test.each(serverVersions)(
  'PostgreSQL %i: the pair_index of an older attempt is set right in batches, also where another transaction holds an order',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    // The columns stand, and services that begin a transaction between them and this statement are not waited for.
    await db.sql.unsafe(`
      insert into sessions (id, pairs) values ('many', '["A", "B"]');
      alter table orders disable trigger trg_orders_set_pair_index;
      insert into orders (id, sessionid, symbol, pair_index) select n, 'many', 'B', 0 from generate_series(1, 2000) as n;
      alter table orders enable always trigger trg_orders_set_pair_index`);
    const holder = db.connect({ max: 1 });
    await holder`begin`;
    await holder`update orders set status = 'open', pair_index = 0 where id = '7'`;
    const block = await readBlock('pair_index');
    const runner = db.connect({ max: 1 });
    await runner.unsafe(`begin; call multi_pair_db.enter('0001_multi_pair_support'); commit`);
    const work = runner.unsafe(block).simple();
    // Its failure is seen where it is awaited.
    work.catch(() => {});
    // Each transaction of ours leaves its number in the rows that it has written.
    const readRows = async () => {
      const [row] = await db.sql`
        select count(*)::int as rows, count(distinct xmin::text)::int as batches from orders where pair_index = 1`;
      return row;
    };
    await until(
      async () => (await readRows())?.['rows'] === 1_999,
      'all but the one held are at their place',
    );
    expect((await readRows())?.['batches']).toBeGreaterThanOrEqual(3);
    await holder`rollback`;
    await work;
    expect(await db.sql`select count(*)::int as wrong from orders where pair_index <> 1`).toEqual([
      { wrong: 0 },
    ]);
  },
);

test.each(serverVersions)(
  'PostgreSQL %i: 0001 once more, and stopped half way, leaves the check of pairs as valid as it was',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    const readCheck = () =>
      db.sql`select oid::int, convalidated from pg_constraint where conname = 'sessions_pairs_is_array_of_strings'`;
    const before = await readCheck();
    expect(before).toMatchObject([{ convalidated: true }]);
    const runner = db.connect({ max: 1 });
    await runner.unsafe(`begin; call multi_pair_db.enter('0001_multi_pair_support'); commit`);
    await runner.unsafe(await readBlock('sessions'));
    expect(await readCheck()).toEqual(before);
  },
);
