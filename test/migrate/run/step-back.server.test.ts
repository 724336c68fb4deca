import type { Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import type { ProgressEvent } from '../../../src/migrate/run/progress.ts';
import { applyMigrations, verifyDatabase } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { runProjectKit } from '../../support/drizzle-kit.ts';
import { rollBackDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

/** What a service of the old kind runs when it starts: SHARE on the table, before it looks whether the index is there. */
const startDdl = `
  create table if not exists fills (id text primary key);
  create index if not exists idx_fills_symbol on fills (symbol);
  create index if not exists idx_fills_orderid on fills (orderid);
  create index if not exists idx_orders_symbol on orders (symbol);
  create index if not exists idx_sessions_symbol on sessions (symbol);`;

/** A transaction that is open keeps every build waiting, so that a service can start in the middle of it. */
async function holdSnapshot(db: TestDatabase): Promise<Sql> {
  const holder = db.connect({ max: 1 });
  await holder`begin isolation level repeatable read`;
  await holder`select count(*) from migrations_are_none_of_its_business`;
  return holder;
}

const isBuilding = async (db: TestDatabase, after = 0): Promise<boolean> => {
  const builds = await db.sql`
    select from pg_stat_progress_create_index
    where datname = current_database() and phase like 'waiting for%'`;
  return builds.length > after;
};

async function createLive(version: Parameters<typeof createDatabase>[0]): Promise<TestDatabase> {
  const live = await createDatabase(version, 'legacy');
  await live.sql`create table migrations_are_none_of_its_business (id integer)`;
  await live.sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 500) as n`;
  await live.sql`insert into fills (id, sessionid, symbol, "timestamp", price, size)
    select n::text, n::text, 'BTC/USD', n, 1, 1 from generate_series(1, 500) as n`;
  return live;
}

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('three services start in the middle of builds: each gets through, writers too, and all is built', async () => {
    await using live = await createLive(version);
    await using connection = await openConnection(live.url);
    await applyMigrations(connection, { upTo: '001' });
    const events: ProgressEvent[] = [];
    const holder = await holdSnapshot(live);
    const migration = applyMigrations(connection, { onProgress: (event) => events.push(event) });
    const steppedBack = () => events.filter(({ kind }) => kind === 'stepped back').length;

    for (let start = 1; start <= 3; start++) {
      await until(() => isBuilding(live), 'a build is under way');
      const service = live.connect({ max: 1, connection: { application_name: `service ${start}` } });
      const starting = service.unsafe(startDdl).execute();
      // The build waits for the holder, the service for the build, and this writer behind the service.
      const writing = live.sql`insert into fills (id, symbol) values (${`written ${start}`}, 'X')`.execute();
      await starting;
      await writing;
      await until(async () => steppedBack() >= start, 'the build has stepped back');
    }
    await holder`commit`;
    const { stepBacks } = await migration;
    expect(stepBacks.length).toBeGreaterThanOrEqual(3);
    for (const { tag, statement, behind } of stepBacks) {
      expect(tag).toBe('0002_symbol_indexes');
      expect(statement).toMatch(/^create .*index concurrently/);
      expect(behind).toMatch(/pid \d+/);
    }

    const [who] = events.flatMap((event) => (event.kind === 'stepped back' ? event.for : []));
    expect(who?.application).toMatch(/^service \d$|^postgres\.js$/);
    expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
  });

  test('a vacuum that waits holds up nobody, so the build goes on', async () => {
    await using live = await createLive(version);
    await using connection = await openConnection(live.url);
    await applyMigrations(connection, { upTo: '001' });
    const events: ProgressEvent[] = [];
    const holder = await holdSnapshot(live);
    const migration = applyMigrations(connection, { onProgress: (event) => events.push(event) });
    await until(() => isBuilding(live), 'a build is under way');
    const vacuum = live.connect({ max: 1 }).unsafe('vacuum fills').execute();
    await until(async () => {
      const rows = await live.sql`select from pg_stat_activity
        where datname = current_database() and query = 'vacuum fills' and wait_event_type = 'Lock'
          and clock_timestamp() - query_start > interval '600 ms'`;
      return rows.length === 1;
    }, 'the vacuum has waited for longer than the limit');
    await holder`commit`;
    await migration;
    await vacuum;
    expect(events.filter(({ kind }) => kind === 'stepped back')).toEqual([]);
  });

  test('it gives up after --max-wait, names who was in the way, and the next run goes on', async () => {
    await using live = await createLive(version);
    await using connection = await openConnection(live.url);
    await applyMigrations(connection, { upTo: '001' });
    const holder = await holdSnapshot(live);
    let isStarting = true;
    const services = (async () => {
      const service = live.connect({ max: 1, connection: { application_name: 'restarts for ever' } });
      while (isStarting) await service.unsafe(startDdl);
    })();
    const outcome = applyMigrations(connection, { maxWaitMs: 1_500 });
    await expect(outcome).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(/restarts for ever|gave up after waiting/),
    });
    isStarting = false;
    await services;
    await holder`commit`;
    await applyMigrations(connection);
    expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
  });

  test('the ALTER of 0001 gives up after --max-wait, and not after two minutes', async () => {
    await using live = await createLive(version);
    await using connection = await openConnection(live.url);
    await applyMigrations(connection, { upTo: '0' });
    const reader = live.connect({ max: 1, connection: { application_name: 'a long report' } });
    await reader.unsafe('begin; select count(*) from sessions');
    await expect(applyMigrations(connection, { maxWaitMs: 700 })).rejects.toMatchObject({
      code: 'LOCKED',
      exitCode: 4,
    });
    await reader.unsafe('commit');
    await applyMigrations(connection);
    await rollBackDownTo(connection, '001');
  });
});

test('stock drizzle-kit fails cleanly where a service starts in the middle of a build, and heals on the next run', async () => {
  await using live = await createLive(18);
  const holder = await holdSnapshot(live);
  const first = runProjectKit(['migrate'], { DATABASE_URL: live.url });
  await until(() => isBuilding(live), 'a build is under way');
  const service = live.connect({ max: 1 });
  const starting = service.unsafe(`begin; select count(*) from fills; ${startDdl} commit`).execute();
  const [ended] = await Promise.all([
    first,
    starting.catch(() => 'the victim of the deadlock'),
    holder`commit`,
  ]);
  if (ended.code !== 0) {
    expect(ended.code).toBe(1);
    expect(await runProjectKit(['migrate'], { DATABASE_URL: live.url })).toMatchObject({ code: 0 });
  }
  await using connection = await openConnection(live.url);
  expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
});
