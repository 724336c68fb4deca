import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
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
  const report = await rollbackMigration(connection, '001', { ...options, acceptDataLoss: true });
  expect(report).toMatchObject({ undone: true, longestLag: undefined });
  // On a machine that is slow for a moment it may rest for trading.
  expect(report.rests.filter(({ reason }) => reason !== 'trade')).toEqual([]);
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

/** Its replay stops, and it says so; or it falls silent, and PostgreSQL goes on to show the lag that it had last. */
const halts = {
  'stops to replay': async () => {
    await replica`select pg_wal_replay_pause()`;
    return async () => {
      await replica`select pg_wal_replay_resume()`;
    };
  },
  'falls silent': async () => {
    const [receiver] = await replica`select pid from pg_stat_wal_receiver`;
    const pid = Number(receiver?.['pid']);
    process.kill(pid, 'SIGSTOP');
    return async () => {
      process.kill(pid, 'SIGCONT');
    };
  },
};

test.each(['stops to replay', 'falls silent'] as const)(
  'a standby that %s during a build: it is told, the build ends, the rest comes right after it',
  async (halt) => {
    await using connection = await openConnection(url);
    await rollbackMigration(connection, '002');
    await until(isCaughtUp, 'the standby is there again');
    const events: ProgressEvent[] = [];
    const has = (kind: ProgressEvent['kind']) => async () => events.some((event) => event.kind === kind);
    // The first build waits for who writes to its table.
    const writer = postgres(url, { max: 1 });
    await writer.unsafe(`begin; insert into fills (id) values ('${halt}')`);
    const migration = applyMigrations(connection, {
      maxReplicaLagMs: 300,
      onProgress: (event) => events.push(event),
    });
    await until(has('index'), 'the first index is being built');
    const goOn = await halts[halt]();
    onTestFinished(goOn);
    await until(has('lagging'), 'the lag is told');
    expect(events.filter(({ kind }) => kind === 'resting')).toEqual([]);
    await writer.unsafe('commit');
    await until(has('resting'), 'it rests');

    const built = events.flatMap((event) =>
      event.kind === 'statement' && /^create .*index/.test(event.statement) ? [event.statement] : [],
    );
    expect(built).toEqual([expect.stringContaining('idx_fills_unique_dedup')]);
    expect(
      await sql`select indisvalid from pg_index where indexrelid = 'idx_fills_unique_dedup'::regclass`,
    ).toEqual([{ indisvalid: true }]);
    await goOn();
    const { longestLag, rests, stepBacks } = await migration;
    await writer.end();
    const lags = events.flatMap((event) => (event.kind === 'lagging' ? [event] : []));
    expect(lags).toEqual([
      expect.objectContaining({ tag: '0002_symbol_indexes', statement: built[0], standby: 'standby' }),
    ]);
    expect(lags[0]?.lagMs).toBeGreaterThan(300);
    expect(longestLag).toMatchObject({ standby: 'standby', statement: built[0], atMs: expect.any(Number) });
    expect(longestLag?.lagMs).toBeGreaterThanOrEqual(lags[0]?.lagMs ?? Number.POSITIVE_INFINITY);
    expect(rests).toContainEqual(expect.objectContaining({ reason: 'lag' }));
    expect(stepBacks).toEqual([]);
  },
);

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
