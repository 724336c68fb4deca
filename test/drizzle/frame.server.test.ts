import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { nextTag } from '../support/facts.ts';
import { migrate } from '../support/migrations.ts';
import { oddities } from '../support/oddities.ts';
import { rollBackDatabaseDownTo } from '../support/rollback.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

/** A file after ours, and one after that. */
const next = nextTag('next');
const after = nextTag('next_but_one');

const lock = "hashtextextended('multi-pair-db', 0)";

/** Is a session resting in a procedure of the frame? */
const isResting = async (db: TestDatabase): Promise<boolean> => {
  const rows = await db.sql`
    select from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep' and query ilike 'call multi_pair_db%'`;
  return rows.length === 1;
};

/** Sent at once: postgres.js would wait until somebody awaits it. */
const enter = (session: Sql, file = next) => session.unsafe(`call multi_pair_db.enter('${file}')`).execute();

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('enter waits a moment for a session that is just leaving, and is refused by one that stays', async () => {
    await using db = await createDatabase(version, 'migrated');
    const leaving = db.connect({ max: 1 });
    const arriving = db.connect({ max: 1 });
    await leaving.unsafe(`select pg_advisory_lock(${lock})`);

    const entering = enter(arriving);
    await until(() => isResting(db), 'the next one waits for it');
    await leaving.unsafe(`select pg_advisory_unlock(${lock})`);
    await entering;

    await expect(enter(leaving, after)).rejects.toMatchObject({
      code: '55P03',
      message: `${after}: another migration of this database is running; nothing was changed`,
    });
    await arriving.unsafe(`call multi_pair_db.prove('${next}'); call multi_pair_db.hand_over()`);
    await enter(leaving, after);
  });

  test('enter lifts the limits of a role and prove puts them back', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`alter database ${db.name} set statement_timeout = '7s'`);
    const session = db.connect({ max: 1 });
    const limits = () =>
      session`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
                     current_setting('synchronous_commit') as commit, current_setting('client_min_messages') as messages,
                     current_setting('client_connection_check_interval') as looks`;
    const before = await limits();
    await enter(session);
    expect(await limits()).toEqual([
      { statement: '0', lock: '0', commit: 'off', messages: 'warning', looks: '100ms' },
    ]);
    await session.unsafe(`call multi_pair_db.prove('${next}')`);
    expect(await limits()).toEqual(before);
  });

  test('lock_briefly tries again until it has the lock, and says who is in the way when it gives up', async () => {
    await using db = await createDatabase(version, 'migrated');
    const reader = db.connect({ max: 1, connection: { application_name: 'a long report' } });
    const session = db.connect({ max: 1 });
    await enter(session);
    await reader.unsafe('begin; select count(*) from orders');
    const change = `do $$ begin call multi_pair_db.lock_briefly('sessions', 'orders'); end $$`;
    const changing = session.unsafe(change);
    const done = changing.execute();
    await until(async () => {
      const rows = await db.sql`
        select from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep' and query like 'do %'`;
      return rows.length === 1;
    }, 'it rests between two tries');
    // Between two tries nobody waits: a writer gets through.
    await db.sql`insert into sessions (id) values ('meanwhile')`;
    await reader.unsafe('commit');
    await done;

    await reader.unsafe('begin; select count(*) from orders');
    await session.unsafe("select set_config('multi_pair_db.max_wait', '200 ms', false)");
    await expect(session.unsafe(change)).rejects.toMatchObject({
      code: '55P03',
      message: expect.stringMatching(new RegExp(`^${next}: could not lock sessions, orders in \\d+ tries$`)),
      detail: expect.stringContaining('a long report'),
    });
    await reader.unsafe('rollback');
  });

  test('expect_index: what is in the way is named; an INVALID one with a broken one beside it is replaced', async () => {
    await using db = await createDatabase(version, 'migrated');
    const session = db.connect({ max: 1 });
    await enter(session);
    const expectIndex = (name: string, table = 'orders'): Promise<unknown> =>
      session.unsafe(`call multi_pair_db.expect_index('${name}', '${table}', 'btree (symbol)')`);

    await expect(expectIndex('idx_x', 'nowhere')).rejects.toThrow(`${next}: the table nowhere is missing`);
    await expect(expectIndex('x'.repeat(53))).rejects.toThrow('is longer than 52 characters');
    await expect(expectIndex('orders_pkey')).rejects.toThrow('belongs to something that is no plain index');
    await expect(expectIndex('fills')).rejects.toThrow('belongs to something that is no plain index');

    await db.sql.unsafe(`insert into sessions (id) values ('a'), ('b')`);
    await db.sql.unsafe(`insert into orders (id, symbol) values ('a', 'x'), ('b', 'x')`);
    await db.sql.unsafe('create index idx_x__broken on orders (id)');
    await expect(
      db.sql.unsafe('create unique index concurrently idx_x on orders (symbol)'),
    ).rejects.toThrow();
    await expectIndex('idx_x');
    await expect(session.unsafe(`call multi_pair_db.prove('${next}')`)).rejects.toThrow('idx_x is missing');
    await session.unsafe('drop index concurrently if exists idx_x__broken');
    await session.unsafe('create index concurrently if not exists idx_x on orders (symbol)');
    await session.unsafe(`call multi_pair_db.prove('${next}')`);
  });

  test('what a superuser has made belongs to the owner of the tables, who goes on', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(oddities);
    const role = `owner_${live.name}`;
    await live.sql.unsafe(`create role ${role} login;
      grant create on schema public to ${role}; grant create on database ${live.name} to ${role};
      alter table sessions owner to ${role}; alter table orders owner to ${role}; alter table fills owner to ${role}`);
    try {
      await migrate(live.url);
      await live.sql`update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 'symbol'`;
      await rollBackDatabaseDownTo(live.url, '002');
      const superuser = live.connect({ max: 1 });
      for (const file of ['0002_symbol_indexes', '0001_multi_pair_support']) {
        const text = await readFile(new URL(`../../drizzle/down/${file}.sql`, import.meta.url), 'utf8');
        for (const statement of text.split('--> statement-breakpoint')) await superuser.unsafe(statement);
      }
      const foreign = await live.sql`
        select c.relname as name from pg_class as c
        where c.relnamespace = 'multi_pair_db'::regnamespace and c.relkind in ('r', 'S') and pg_get_userbyid(c.relowner) <> ${role}
        union all
        select p.proname from pg_proc as p
        where p.pronamespace = 'multi_pair_db'::regnamespace and pg_get_userbyid(p.proowner) <> ${role}`;
      expect(foreign).toEqual([]);

      await migrate(live.url.replace('postgres@', `${role}@`));
      expect(await live.sql`select pairs from sessions where id = 'symbol'`).toEqual([
        { pairs: ['BTC/USD', 'ETH/USD'] },
      ]);
    } finally {
      await live.sql.unsafe(
        `reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`,
      );
    }
  });
});

test('rest waits while who measures says that trading is slow, not longer than two seconds, and not for who is gone', async () => {
  await using db = await createDatabase(18, 'migrated');
  const told: string[] = [];
  const session = db.connect({ max: 1, onnotice: ({ message }) => told.push(String(message)) });
  const canary = db.connect({ max: 1 });
  await enter(session);
  const rest = () => session.unsafe('call multi_pair_db.rest()').execute();
  const say = (what: string) => canary.unsafe(`select ${what}`);
  await say("pg_advisory_lock(hashtextextended('multi-pair-db canary', 0))");
  await rest();
  expect(told).toEqual([]);

  await say("pg_advisory_lock(hashtextextended('multi-pair-db slow', 0))");
  let isOver = false;
  const resting = rest().then(() => {
    isOver = true;
  });
  await until(() => isResting(db), 'it rests');
  await say('pg_sleep(0.3)');
  expect(isOver).toBe(false);
  await say("pg_advisory_unlock(hashtextextended('multi-pair-db slow', 0))");
  await resting;

  await say("pg_advisory_lock(hashtextextended('multi-pair-db slow', 0))");
  await rest();
  const rested = expect.stringMatching(new RegExp(`^${next}: rested for \\d{3,4} ms: trade$`));
  expect(told).toEqual([rested, rested]);
  const last = rest();
  await canary.end();
  await last;
  expect(told.length).toBeLessThanOrEqual(3);
});
