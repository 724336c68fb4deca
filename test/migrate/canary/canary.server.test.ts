import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { startCanary } from '../../../src/migrate/canary/start.ts';
import type { ProgressEvent } from '../../../src/migrate/run/progress.ts';
import { applyMigrations, verifyDatabase } from '../../../src/own/index.ts';
import { startCli } from '../../support/cli.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

const canaryPids = async (db: TestDatabase, condition = 'true'): Promise<number[]> => {
  const rows = await db.sql.unsafe(`select pid from pg_stat_activity
    where datname = current_database() and application_name = 'multi-pair-db canary' and ${condition}`);
  return rows.map((row) => Number(row['pid']));
};

/** What a probe could leave behind: rows, dead or alive, writes of the tables, prepared transactions, locks. */
const traces = (db: TestDatabase) => db.sql`
  select (select sum(n_tup_ins + n_tup_upd + n_tup_del)::int from pg_stat_user_tables) as writes,
         (select count(*)::int from pg_class where relpersistence = 't') as temporary,
         (select count(*)::int from pg_locks as l join pg_database as d on d.oid = l.database
          where d.datname = current_database() and l.locktype = 'advisory') as locks`;

const silent = { onSecond: () => {}, onFault: () => {} };

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('it measures before and during, a wait as long as it was, and leaves nothing', async () => {
    await using db = await createDatabase(version, 'legacy');
    await using connection = await openConnection(db.url);
    const canary = await startCanary(connection, ['sessions', 'orders', 'fills'], 250, silent);
    if ('off' in canary) throw new Error(canary.off);
    canary.beginWork();
    const holder = db.connect({ max: 1 });
    await holder.unsafe('begin; lock table orders in share mode');
    await until(async () => (await canaryPids(db, "wait_event_type = 'Lock'")).length === 1, 'a probe waits');
    await db.sql`select pg_sleep(0.3)`;
    await holder.unsafe('commit');
    const isBack = async () => (await canaryPids(db, "state = 'idle'")).length === 1;
    await until(isBack, 'the probe goes on');
    const waits = await canary.stop();
    expect(waits).toMatchObject({ measured: true, flushes: true, lost: undefined, limitMs: 250 });
    if (!waits.measured) throw new Error(waits.reason);
    expect(waits.during?.longestMs).toBeGreaterThanOrEqual(300);
    // Trades that came while one waited would have waited, too.
    expect(waits.during?.p50Ms).toBeGreaterThan(25);
    expect(Math.max(...waits.timeline.longestMs.map(Number))).toBe(waits.during?.longestMs);
    await until(async () => (await canaryPids(db)).length === 0, 'its session has ended');
    expect(await traces(db)).toEqual([{ writes: 0, temporary: 0, locks: 0 }]);
  });

  test('where the session of a run that was killed still measures, it takes over as soon as that is gone', async () => {
    await using db = await createDatabase(version, 'legacy');
    await using connection = await openConnection(db.url);
    const orphan = db.connect({ max: 1 });
    await orphan`select pg_advisory_lock(hashtextextended('multi-pair-db canary', 0))`;
    const canary = await startCanary(connection, ['sessions'], 250, silent);
    if ('off' in canary) throw new Error(canary.off);
    const holders = async () =>
      (
        await db.sql`select pid from pg_locks where locktype = 'advisory' and granted
          and database = (select oid from pg_database where datname = current_database())`
      ).map((row) => Number(row['pid']));
    expect(await holders()).not.toContain(canary.pid);
    await orphan.end();
    await until(async () => (await holders()).includes(canary.pid), 'the canary says that it measures');
    expect(await canary.stop()).toMatchObject({ measured: true, lost: undefined });
  });

  test('a role that may not lock the tables, tables that are not there: off, and it says why', async () => {
    await using db = await createDatabase(version, 'legacy');
    const role = `reads_only_${db.name}`;
    await db.sql.unsafe(`create role ${role} login; grant select on all tables in schema public to ${role}`);
    await using limited = await openConnection(db.url.replace('postgres@', `${role}@`));
    expect(await startCanary(limited, ['sessions', 'fills'], 250, silent)).toEqual({
      off: 'this role may not read sessions, fills and lock it as a writer does',
    });
    expect(await startCanary(limited, ['nowhere'], 250, silent)).toEqual({
      off: 'the tables are not there yet',
    });
    expect(await startCanary(limited, [], 250, silent)).toMatchObject({
      off: expect.stringContaining('catalog'),
    });
    await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  });

  test('where it is lost in the middle, the run says so and goes on', async () => {
    await using db = await createDatabase(version, 'legacy');
    await using connection = await openConnection(db.url);
    const reader = db.connect({ max: 1 });
    await reader.unsafe('begin; select count(*) from orders');
    const events: ProgressEvent[] = [];
    const migration = applyMigrations(connection, { onProgress: (event) => events.push(event) });
    await until(async () => (await canaryPids(db, "query like '%execute%'")).length === 1, 'it measures');
    await db.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'multi-pair-db canary'`;
    const told = expect.objectContaining({
      kind: 'notice',
      message: expect.stringContaining('can’t be measured any more'),
    });
    await until(async () => events.some((event) => told.asymmetricMatch(event)), 'it is told');
    await reader.unsafe('commit');
    const { tradeWaits } = await migration;
    expect(tradeWaits).toMatchObject({ measured: true, lost: expect.stringMatching(/\w/) });
    expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
    // Nothing is pending: then there is nothing to measure.
    expect((await applyMigrations(connection)).tradeWaits).toBeUndefined();
  });
});

test('of a run that is killed no session is left, no lock, and nothing in the tables', async () => {
  await using db = await createDatabase(18, 'legacy');
  const reader = db.connect({ max: 1 });
  await reader.unsafe('begin; select count(*) from sessions');
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-canary-'));
  const { child, ended } = startCli(['migrate', '--url', db.url, '--reports', folder]);
  await until(async () => (await canaryPids(db)).length === 1, 'it measures');
  // In the middle of a probe, which waits behind another session.
  const holder = db.connect({ max: 1 });
  await holder.unsafe('begin; lock table fills in share mode');
  await until(async () => (await canaryPids(db, "wait_event_type = 'Lock'")).length === 1, 'a probe waits');
  child.kill('SIGKILL');
  await ended;
  await until(
    async () => {
      const rows = await db.sql`select from pg_stat_activity
      where datname = current_database() and application_name like 'multi-pair-db%'`;
      return rows.length === 0;
      // Sooner than the probe would give up by itself.
    },
    'the server has noticed',
    8_000,
  );
  await reader.unsafe('commit');
  await holder.unsafe('commit');
  expect(await traces(db)).toMatchObject([{ temporary: 0, locks: 0 }]);
  const rows = await db.sql`select (select count(*) from sessions) + (select count(*) from fills) as rows`;
  expect(rows).toEqual([{ rows: '0' }]);
  await rm(folder, { recursive: true });
});
