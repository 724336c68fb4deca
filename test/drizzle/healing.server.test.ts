import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readCatalog } from '../support/catalog.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { migrate } from '../support/migrations.ts';
import { brokenPromises, checksumOfOldColumns, duplicateFill, oddities } from '../support/oddities.ts';
import { rollBackDatabaseDownTo } from '../support/rollback.ts';
import { serverVersions } from '../support/server.ts';

const readIndexes = (db: TestDatabase) =>
  db.sql`select indexrelid::regclass::text as name, indisvalid as valid from pg_index
         where indrelid in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass) order by 1`;

test.each(serverVersions)(
  'PostgreSQL %i: replaces an INVALID index and one of another definition, and drops what a killed run left',
  async (version) => {
    await using live = await createDatabase(version, 'legacy');
    await using fresh = await createDatabase(version, 'migrated');
    await live.sql.unsafe(oddities);
    // The older attempt: columns with other defaults, the partial GIN that the planner can never use, a build that failed.
    await live.sql.unsafe(`
      alter table sessions
        add column pairs jsonb not null default '["USD"]',
        add column pair_count integer default 1;
      alter table orders add column pair_index integer not null default 7;
      update sessions set pairs = '"BTC/USD"' where id = 'symbol';
      update sessions set pairs = '["A", "B"]', pair_count = 9 where id = 'both';
      create index idx_sessions_pairs_gin on sessions using gin (pairs) where pairs != '[]';
      create index idx_fills_symbol_timestamp__broken on fills (symbol);`);
    await live.sql.unsafe(duplicateFill);
    await expect(
      live.sql.unsafe(`create unique index concurrently idx_fills_unique_dedup on fills (tradeid)`),
    ).rejects.toThrow('could not create unique index');
    await live.sql`delete from fills where id = 'stored twice'`;

    await migrate(live.url);

    expect(await readIndexes(live)).toEqual(await readIndexes(fresh));
    expect(await live.sql.unsafe(readCatalog)).toEqual(await fresh.sql.unsafe(readCatalog));
    expect(await live.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
    expect(
      await live.sql`select id, pairs, pair_count from sessions where id in ('symbol', 'both') order by id`,
    ).toEqual([
      { id: 'both', pairs: ['A', 'B'], pair_count: 2 },
      { id: 'symbol', pairs: ['BTC/USD'], pair_count: 1 },
    ]);
  },
);

test('pairs of an older attempt that are no strings are refused, by name, and nothing changes', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(`
    alter table sessions add column pairs jsonb;
    insert into sessions (id, pairs) values ('object', '{"BTC/USD": 1}'), ('numbers', '["A", 1]'), ('null', 'null')`);

  await expect(migrate(live.url)).rejects.toMatchObject({
    cause: {
      code: '23514',
      detail: expect.stringMatching(/^The first such sessions: '(object|numbers)', '(object|numbers)'$/),
    },
  });
  expect(
    await live.sql`select attname from pg_attribute where attrelid = 'sessions'::regclass and attname = 'pair_count'`,
  ).toEqual([]);

  await live.sql`update sessions set pairs = null where id <> 'null'`;
  await migrate(live.url);
  expect(await live.sql`select distinct pairs from sessions`).toEqual([{ pairs: [] }]);
});

test.each([
  ['a missing column', 'alter table fills drop column liquidityind', 'fills.liquidityind (text) is missing'],
  [
    'another type',
    'alter table sessions alter column budget type numeric',
    'sessions.budget is numeric, not real',
  ],
  [
    'no primary key',
    'alter table orders drop constraint orders_pkey cascade',
    'no primary key (id) on orders',
  ],
  [
    'a pairs column of another type',
    'alter table sessions add column pairs text[]',
    'sessions.pairs is text[], not jsonb',
  ],
])('a database with %s is refused', async (_, change, message) => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(oddities);
  await live.sql.unsafe(change);
  const before = await live.sql.unsafe(readCatalog);

  await expect(migrate(live.url)).rejects.toMatchObject({
    cause: { message: expect.stringContaining(message) },
  });
  expect(await live.sql.unsafe(readCatalog)).toEqual(before);
});

test('a missing live index is built in place on a small table, and named with its statement for a large one', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(`
    drop index idx_fills_timestamp;
    alter table orders drop constraint fk_orders_sessionid;
    insert into sessions (id, data) select i, jsonb_build_object('x', repeat(md5(i::text), 30)) from generate_series(1, 10000) as i;
    drop index idx_sessions_status;`);

  await expect(migrate(live.url)).rejects.toMatchObject({
    cause: { detail: 'create index concurrently idx_sessions_status on sessions (status)' },
  });
  await live.sql`create index concurrently idx_sessions_status on sessions (status)`;
  await migrate(live.url);

  await using fresh = await createDatabase(18, 'migrated');
  expect(await live.sql.unsafe(readCatalog)).toEqual(await fresh.sql.unsafe(readCatalog));
});

test.each(serverVersions)(
  'PostgreSQL %i: down and up again keeps what symbol cannot give back',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(oddities);
    await db.sql.unsafe(`
    update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 'symbol';
    update sessions set pairs = '["SOL/USD"]' where id = 'neither';
    update orders set pair_index = 1 where id = 'order';
    update orders set pair_index = null where id = 'order of nobody'`);
    const readMultiPair = () =>
      db.sql`select id, pairs, pair_count from sessions union all select id, null, pair_index from orders order by 1`;
    const before = [
      await readMultiPair(),
      await db.sql.unsafe(checksumOfOldColumns),
      await db.sql.unsafe(readCatalog),
    ];

    for (let round = 0; round < 2; round++) {
      await rollBackDatabaseDownTo(db.url, '002');
      await runDown(db, '0002_symbol_indexes');
      await runDown(db, '0001_multi_pair_support');
      expect(await db.sql`select id from multi_pair_db.undo_sessions order by id`).toEqual([
        { id: 'neither' },
        { id: 'symbol' },
      ]);
      await db.sql`delete from multi_pair_db.migrations where id > 1`;
      await migrate(db.url);
      expect([
        await readMultiPair(),
        await db.sql.unsafe(checksumOfOldColumns),
        await db.sql.unsafe(readCatalog),
      ]).toEqual(before);
      expect(await db.sql`select to_regclass('multi_pair_db.undo_sessions') as left_over`).toEqual([
        { left_over: null },
      ]);
    }
  },
);

test('down 0001 refuses while the indexes of 0002 are there', async () => {
  await using db = await createDatabase(18, 'migrated');
  await expect(runDown(db, '0001_multi_pair_support')).rejects.toThrow(
    'the indexes of 0002_symbol_indexes are still there',
  );
});

async function runDown(db: TestDatabase, tag: string): Promise<void> {
  const session = db.connect({ max: 1 });
  for (const statement of await readStatements(`down/${tag}`)) await session.unsafe(statement);
  await session.end();
}

async function readStatements(file: string): Promise<string[]> {
  const text = await readFile(new URL(`../../drizzle/${file}.sql`, import.meta.url), 'utf8');
  return text.split('--> statement-breakpoint');
}

test('a valid index that a killed run has set aside guards its rows until its successor stands', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(oddities);
  await live.sql`create unique index idx_fills_unique_dedup__set_aside on fills (id, symbol)`;
  await live.sql`create index idx_fills_unique_dedup on fills (symbol)`;

  const statements = await readStatements('0002_symbol_indexes');
  const successor = statements.findIndex((statement) =>
    statement.includes('create unique index concurrently'),
  );
  const early = statements.slice(0, successor).filter((statement) => statement.includes('__set_aside;'));
  expect(early).toEqual([]);

  await migrate(live.url);
  await using fresh = await createDatabase(18, 'migrated');
  expect(await readIndexes(live)).toEqual(await readIndexes(fresh));
});

test('what a service has written since is newer than what was put aside', async () => {
  await using db = await createDatabase(18, 'migrated');
  await db.sql`insert into sessions (id, symbol, pairs) values ('untouched', 'A', '["A", "B"]'), ('rewritten', 'A', '["A", "B"]')`;
  await rollBackDatabaseDownTo(db.url, '002');
  await runDown(db, '0002_symbol_indexes');
  await runDown(db, '0001_multi_pair_support');
  await db.sql`delete from multi_pair_db.migrations where id > 1`;
  // 0001 was killed after its columns: a service of the new kind already writes.
  await db.sql`alter table sessions add column pairs jsonb`;
  await db.sql`update sessions set pairs = '["A", "C"]' where id = 'rewritten'`;

  await migrate(db.url);
  expect(await db.sql`select id, pairs from sessions order by id`).toEqual([
    { id: 'rewritten', pairs: ['A', 'C'] },
    { id: 'untouched', pairs: ['A', 'B'] },
  ]);
});

test('live tables in a schema that comes later on the search path are refused, not hidden behind empty ones', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(`create schema trader; alter database ${live.name} set search_path = trader, public`);

  await expect(migrate(live.url)).rejects.toMatchObject({
    cause: { message: expect.stringContaining('new objects would go to schema trader') },
  });
  expect(await live.sql`select to_regclass('trader.sessions') as hidden`).toEqual([{ hidden: null }]);
});

test('a client that goes on after a refusal changes nothing, and what is put aside stays put aside', async () => {
  await using db = await createDatabase(18, 'migrated');
  await db.sql`insert into sessions (id, symbol, pairs) values ('s', 'A', '["A", "B"]')`;
  await rollBackDatabaseDownTo(db.url, '002');
  await runDown(db, '0002_symbol_indexes');
  await runDown(db, '0001_multi_pair_support');
  const other = db.connect({ max: 1 });
  await other`select pg_advisory_lock(hashtextextended('multi-pair-db', 0))`;

  const session = db.connect({ max: 1 });
  for (const statement of await readStatements('0001_multi_pair_support')) {
    await session.unsafe(statement).catch(() => {});
  }
  await session.end();

  expect(
    await db.sql`select attname from pg_attribute where attrelid = 'sessions'::regclass and attname = 'pairs'`,
  ).toEqual([]);
  expect(await db.sql`select id from multi_pair_db.undo_sessions`).toEqual([{ id: 's' }]);
});
