import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { migrationOf, tags } from '../support/facts.ts';
import { migrate } from '../support/migrations.ts';
import { brokenPromises, checksumOfOldColumns, oddities } from '../support/oddities.ts';
import { rollBackDatabaseDownTo } from '../support/rollback.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

const journalFiles = async (db: TestDatabase) =>
  (await db.sql`select created_at from multi_pair_db.migrations order by id`).map((row) => row['created_at']);

test.each(serverVersions)('PostgreSQL %i: two migrations at once apply everything once', async (version) => {
  for (let round = 0; round < 3; round++) {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(oddities);
    const before = await live.sql.unsafe(checksumOfOldColumns);

    const outcomes = await Promise.allSettled([migrate(live.url), migrate(live.url)]);
    expect(outcomes.map((outcome) => outcome.status)).toContain('fulfilled');
    await migrate(live.url);

    const files = await journalFiles(live);
    expect(files).toHaveLength(tags.length);
    expect(new Set(files).size).toBe(tags.length);
    expect(await live.sql.unsafe(checksumOfOldColumns)).toEqual(before);
    expect(await live.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
  }
});

test('a second run is refused while the first one waits, and the refusal stands in the log', async () => {
  await using live = await createDatabase(18, 'legacy');
  const other = live.connect({ max: 1 });
  await other`select pg_advisory_lock(hashtextextended('multi-pair-db', 0))`;

  await expect(migrate(live.url)).rejects.toMatchObject({
    cause: {
      code: '55P03',
      message: '0000_baseline: another migration of this database is running; nothing was changed',
    },
  });
  expect(await live.sql`select to_regclass('idx_sessions_pairs_gin') as built`).toEqual([{ built: null }]);
});

test('a run that read the journal too early is refused instead of recording a file twice', async () => {
  await using db = await createDatabase(18, 'migrated');
  const session = db.connect({ max: 1 });
  await session`begin`;
  const file = await readFile(new URL('../../drizzle/0002_symbol_indexes.sql', import.meta.url), 'utf8');
  await expect(session.unsafe(file.split('--> statement-breakpoint')[0] ?? '')).rejects.toThrow(
    '0002_symbol_indexes: another run has applied it in the meantime; nothing was changed',
  );
});

test('0002 refuses while another session builds one of the nine', async () => {
  await using db = await createDatabase(18, 'migrated');
  await rollBackDatabaseDownTo(db.url, '002');
  await db.sql`drop index idx_orders_symbol_status`;
  await db.sql`delete from multi_pair_db.migrations where created_at = ${migrationOf('002').createdAtMs}`;
  // A build waits for every transaction that holds a lock on the table.
  const holder = db.connect({ max: 1 });
  await holder`begin`;
  await holder`lock table orders in row exclusive mode`;
  const builder = db.connect({ max: 1, connection: { application_name: 'somebody else' } });
  const build =
    builder`create index concurrently idx_orders_symbol_status on orders (symbol, status)`.execute();
  await until(async () => {
    const builds = await db.sql`select from pg_stat_progress_create_index where datname = current_database()`;
    return builds.length === 1;
  }, 'the build is under way');

  await expect(migrate(db.url)).rejects.toMatchObject({
    cause: {
      code: '55006',
      message: expect.stringMatching(/is being built right now, by pid \d+ \(somebody else\)$/),
    },
  });

  await holder`commit`;
  await build;
  await migrate(db.url);
  expect(await journalFiles(db)).toHaveLength(tags.length);
});

test.each(serverVersions)(
  'PostgreSQL %i: services of the old kind go on during and after, and their sessions end with the right pairs',
  async (version) => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql`insert into sessions (id, symbol) select 'old ' || i, 'BTC/USD' from generate_series(1, 5000) as i`;

    let running = true;
    let written = 0;
    const service = async (name: string) => {
      const sql = live.connect({ max: 1 });
      while (running) {
        written++;
        await sql`insert into sessions (id, symbol, tradingpair) values (${`${name} ${written}`}, ${written % 3 ? 'ETH/USD' : null}, 'SOL/USD')`;
        await sql`update sessions set symbol = 'XRP/USD' where id = ${`old ${1 + ((written * 7) % 5000)}`}`;
        await sql`update sessions set status = 'done' where id = ${`old ${1 + ((written * 13) % 5000)}`}`;
      }
    };
    const services = [service('a'), service('b')];
    await until(async () => written > 20, 'the services write');
    await migrate(live.url);
    const duringMigration = written;
    await until(async () => written > duringMigration + 20, 'the services go on');
    running = false;
    await Promise.all(services);

    const wrong = await live.sql`
      select id, symbol, tradingpair, pairs, pair_count from sessions
      where pairs <> jsonb_build_array(coalesce(symbol, tradingpair)) or pair_count <> 1`;
    expect(wrong).toEqual([]);
  },
);

test('rows that another transaction holds are filled once it has ended', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql`insert into sessions (id, symbol) select i, 'BTC/USD' from generate_series(1, 100) as i`;
  const waitForBackfill = live.connect({ max: 1 });
  const holder = live.connect({ max: 1 });

  const migration = migrate(live.url);
  // Takes its rows as soon as the column is there, and gives them back, unchanged, once the backfill has passed them by.
  await until(async () => {
    const rows =
      await waitForBackfill`select from pg_attribute where attrelid = 'sessions'::regclass and attname = 'pairs'`;
    return rows.length === 1;
  }, 'the column is there');
  await holder`begin`;
  await holder`select id from sessions where id in ('7', '8') for update`;
  await until(async () => {
    const [row] = await waitForBackfill`select count(*)::int as open from sessions where pairs = '[]'`;
    return Number(row?.['open']) <= 2;
  }, 'the backfill has passed the held rows by');
  await holder`rollback`;
  await migration;

  expect(await live.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
});
