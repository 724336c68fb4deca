import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import type { ProgressEvent, RestReason } from '../../../src/migrate/run/progress.ts';
import { applyMigrations, rollbackMigration, verifyDatabase } from '../../../src/own/index.ts';
import { migrate, readLegacySchema } from '../../support/migrations.ts';
import { startServer, startStandby, type TestServer } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

let server: TestServer;
let standby: TestServer;
let url: string;
let sql: Sql;
let replica: Sql;
beforeAll(async () => {
  server = await startServer(18, { archive_mode: 'on' });
  url = server.url('postgres');
  sql = postgres(url, { max: 2, onnotice: () => {} });
  await sql.unsafe(await readLegacySchema());
  await sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 3000) as n`;
  standby = await startStandby(server);
  replica = postgres(standby.url('postgres'), { max: 1, onnotice: () => {} });
  await until(isCaughtUp, 'the standby streams');
});
afterAll(async () => {
  await sql?.end();
  await replica?.end();
  await standby?.destroy();
  await server?.destroy();
});

const isCaughtUp = async (): Promise<boolean> =>
  (await sql`select from pg_stat_replication where state = 'streaming' and replay_lsn = pg_current_wal_lsn()`)
    .length === 1;

const filled = async (): Promise<number> =>
  Number(
    (await sql`select count(*)::int as n from sessions as s where to_jsonb(s) ->> 'pair_count' = '1'`)[0]?.[
      'n'
    ],
  );

const isResting = async (): Promise<boolean> =>
  (await sql`select from pg_stat_activity where query ~ 'multi_pair_db' and wait_event = 'PgSleep'`)
    .length === 1;

/** Until a run rests for this reason, and has said what is expected. */
async function untilItRests(events: readonly ProgressEvent[], reason: RestReason, message: RegExp) {
  const isRest = (event: ProgressEvent): boolean =>
    event.kind === 'resting' && event.reason === reason && message.test(event.message);
  await until(async () => events.some(isRest), `it rests for ${reason}`);
}

test('a standby whose replay is paused: the run rests, says why, and goes on when it is resumed', async () => {
  await replica`select pg_wal_replay_pause()`;
  await using connection = await openConnection(url);
  const events: ProgressEvent[] = [];
  const migration = applyMigrations(connection, {
    upTo: '001',
    maxReplicaLagMs: 100,
    onProgress: (event) => events.push(event),
  });
  await untilItRests(events, 'lag', /^standby standby has not replayed for \d+ s what was written here$/);
  const before = await filled();
  await sql`select pg_sleep(0.5)`;
  expect(await filled()).toBe(before);
  await replica`select pg_wal_replay_resume()`;
  const { rests } = await migration;
  expect(rests.filter(({ reason }) => reason === 'lag')).not.toEqual([]);
  expect(await filled()).toBe(3_000);
});

test('a standby that is late on purpose is not asked', async () => {
  await replica`select pg_wal_replay_pause()`;
  await using connection = await openConnection(url);
  const options = { maxReplicaLagMs: 0 };
  expect(await rollbackMigration(connection, '001', { ...options, acceptDataLoss: true })).toMatchObject({
    undone: true,
    rests: [],
  });
  expect(await isCaughtUp()).toBe(false);
  await replica`select pg_wal_replay_resume()`;
  await until(isCaughtUp, 'the standby is there again');
});

test('stock drizzle rests as well, and a role that may not see the standbys is told so', async () => {
  await replica`select pg_wal_replay_pause()`;
  await sql`alter role postgres set multi_pair_db.max_replica_lag = '100ms'`;
  const stock = migrate(url);
  await until(async () => {
    const rows = await sql`select from pg_stat_activity
      where wait_event = 'PgSleep' and query_start < clock_timestamp() - interval '1 s'`;
    return rows.length === 1 && (await filled()) < 3_000;
  }, 'it has rested for a second');
  await replica`select pg_wal_replay_resume()`;
  await stock;
  await sql`alter role postgres reset multi_pair_db.max_replica_lag`;
  await using connection = await openConnection(url);
  expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
  await sql.unsafe(`create role keeper login; grant usage on schema multi_pair_db to keeper;
    grant select on multi_pair_db.pause to keeper;`);
  const told: string[] = [];
  const keeper = postgres(url.replace('postgres@', 'keeper@'), {
    max: 1,
    onnotice: ({ message }) => told.push(String(message)),
  });
  await keeper.unsafe(`set multi_pair_db.file = '0009_x'`);
  for (let time = 1; time <= 2; time++) {
    await keeper.unsafe('set multi_pair_db.look_again_at to default');
    await keeper.unsafe('call multi_pair_db.rest()');
  }
  expect(told).toEqual([
    '0009_x: whether standbys keep up is hidden from this role; a member of pg_monitor would see it',
  ]);
  await keeper.end();
});

test('while the WAL archive fails, the run rests; it goes on when it works again', async () => {
  await using connection = await openConnection(url);
  await rollbackMigration(connection, '002');
  await sql`alter system set archive_command = 'false'`;
  await sql`select pg_reload_conf()`;
  const hasFailed = async (): Promise<boolean> => {
    await sql`select pg_switch_wal()`;
    return (await sql`select from pg_stat_archiver where failed_count > 0`).length === 1;
  };
  await until(hasFailed, 'the archive has failed');
  const events: ProgressEvent[] = [];
  const migration = applyMigrations(connection, { onProgress: (event) => events.push(event) });
  await untilItRests(events, 'archive', /^the WAL archive fails since .* UTC, last with [0-9A-F]{24}$/);
  expect(await isResting()).toBe(true);
  await sql`alter system set archive_command = 'true'`;
  await sql`select pg_reload_conf()`;
  const works = async (): Promise<boolean> => {
    await sql`select pg_switch_wal()`;
    return (await sql`select from pg_stat_archiver where last_archived_time > last_failed_time`).length === 1;
  };
  await until(works, 'the archive works');
  const { rests } = await migration;
  expect(rests).toContainEqual(expect.objectContaining({ reason: 'archive' }));
  expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
});
