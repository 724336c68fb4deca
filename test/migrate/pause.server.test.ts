import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import type { ProgressEvent } from '../../src/migrate/run/progress.ts';
import {
  applyMigrations,
  pauseRuns,
  readPause,
  readStatus,
  resumeRuns,
  rollbackMigration,
  verifyDatabase,
} from '../../src/own/index.ts';
import { runCli } from '../support/cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { migrate } from '../support/migrations.ts';
import { until } from '../support/waiting.ts';

async function createLive(version: Parameters<typeof createDatabase>[0]): Promise<TestDatabase> {
  const live = await createDatabase(version, 'legacy');
  await live.sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 5000) as n`;
  return live;
}

const filled = async (db: TestDatabase): Promise<number> => {
  const rows = await db.sql`select count(*)::int as filled from sessions where pair_count = 1`;
  return Number(rows[0]?.['filled']);
};

/** Nothing of it depends on the version; every migration of every version rests by the same procedure. */
const version = 18;

describe('pause and resume', () => {
  test('a backfill that is paused in the middle rests, whatever --max-wait says, and goes on when resumed', async () => {
    await using live = await createLive(version);
    await using connection = await openConnection(live.url);
    await using operator = await openConnection(live.url);
    const events: ProgressEvent[] = [];
    let paused: Promise<unknown> | undefined;
    await applyMigrations(connection, { upTo: '0' });
    const migration = applyMigrations(connection, {
      maxWaitMs: 300,
      onProgress: (event) => {
        events.push(event);
        if (event.kind === 'backfill')
          paused ??= pauseRuns(operator, { by: 'alice@ops', reason: 'the market opens' });
      },
    });
    const rests = () => events.some(({ kind }) => kind === 'resting');
    await until(async () => rests(), 'the run rests');
    await paused;
    const before = await filled(live);
    expect(before).toBeLessThan(5_000);
    await live.sql`select pg_sleep(0.5)`;
    expect(await filled(live)).toBe(before);
    expect(await readStatus(operator)).toMatchObject({
      running: [{ pid: connection.pid }],
      pause: { by: 'alice@ops (role postgres)', reason: 'the market opens' },
    });
    expect(await resumeRuns(operator)).toMatchObject({ reason: 'the market opens' });
    const { rests: kept } = await migration;
    expect(kept).toContainEqual(
      expect.objectContaining({
        tag: '0001_multi_pair_support',
        reason: 'pause',
        message: expect.stringMatching(
          /^paused by alice@ops \(role postgres\) since .* UTC: the market opens$/,
        ),
      }),
    );
    expect(kept.reduce((sum, { restedMs }) => sum + restedMs, 0)).toBeGreaterThanOrEqual(500);
    expect(await verifyDatabase(connection)).toMatchObject({ verified: true, findings: [] });
  });

  test('stock drizzle rests, too, and so does a rollback that begins while paused', async () => {
    await using live = await createLive(version);
    await using operator = await openConnection(live.url);
    await applyMigrations(operator, { upTo: '001' });
    await pauseRuns(operator, { by: 'alice@ops' });
    const stock = migrate(live.url);
    const isResting = async () =>
      (
        await live.sql`select from pg_stat_activity
          where datname = current_database() and query like '%call multi_pair_db.rest()%' and wait_event = 'PgSleep'`
      ).length === 1;
    await until(isResting, 'stock drizzle rests before the first build');
    await resumeRuns(operator);
    await stock;
    expect(await verifyDatabase(operator)).toMatchObject({ verified: true });

    await pauseRuns(operator, { by: 'alice@ops' });
    await using connection = await openConnection(live.url);
    const events: ProgressEvent[] = [];
    const rollback = rollbackMigration(connection, '002', { onProgress: (event) => events.push(event) });
    await until(async () => events.some(({ kind }) => kind === 'resting'), 'the rollback rests');
    // A rest of less than 100 ms is not kept.
    await live.sql`select pg_sleep(0.2)`;
    await resumeRuns(operator);
    expect(await rollback).toMatchObject({ undone: true, rests: [{ reason: 'pause', times: 1 }] });
  });

  test('who pauses first stays; a value of any kind is a value; a pause is no part of who may not see it', async () => {
    await using db = await createDatabase(version, 'migrated');
    await using connection = await openConnection(db.url);
    expect(await readPause(connection)).toBeUndefined();
    expect(await resumeRuns(connection)).toBeUndefined();
    const hostile = `'; drop table sessions; --\n%s`;
    expect(await pauseRuns(connection, { by: hostile, reason: '' })).toMatchObject({ isNew: true });
    expect(await pauseRuns(connection, { by: 'bob' })).toMatchObject({
      isNew: false,
      by: `${hostile} (role postgres)`,
      reason: '',
    });
    const role = `sees_nothing_${db.name}`;
    await db.sql.unsafe(`create role ${role} login`);
    await using limited = await openConnection(db.url.replace('postgres@', `${role}@`));
    expect(await readPause(limited)).toBeUndefined();
    await expect(pauseRuns(limited, { by: 'eve' })).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
    await expect(resumeRuns(limited)).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
    await db.sql.unsafe(`drop role ${role}`);
  });
});

test('the commands: exit codes, JSON, a report of what was changed, and the clear words before the first migration', async () => {
  await using db = await createDatabase(18, 'legacy');
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-pause-'));
  const run = (...args: string[]) => runCli([...args, '--reports', folder, '--url', db.url]);
  const reports = async () => (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const refused = await run('pause', '--json');
  expect(refused.exitCode).toBe(4);
  expect(JSON.parse(refused.stdout).error).toMatchObject({
    code: 'REFUSED',
    message: expect.stringContaining('the first migration, which makes it, is not applied'),
  });
  await migrate(db.url);
  expect(await reports()).toEqual([]);

  const paused = await run('pause', '--reason', 'month end', '--json');
  expect(paused.exitCode, paused.stderr).toBe(0);
  const { result } = JSON.parse(paused.stdout);
  expect(result).toMatchObject({
    by: expect.stringMatching(/^.+@.+ \(role postgres\)$/),
    reason: 'month end',
    isNew: true,
  });
  expect(JSON.parse(await readFile(result.report.json, 'utf8'))).toMatchObject({
    command: 'pause',
    outcome: 'done',
    exitCode: 0,
    role: 'postgres',
    result: { by: result.by, reason: 'month end' },
  });
  expect(await readFile(result.report.page, 'utf8')).toContain('month end');
  // The pause of before stays, so there is nothing of this run to keep.
  expect((await run('pause')).stdout).toContain(': already paused by');
  const status = await runCli(['status', '--url', db.url]);
  expect(status.stdout).toMatch(/paused by .+@.+ \(role postgres\) since .+ UTC: month end/);
  expect(status.stdout).toContain('next: multi-pair-db resume');
  const resumed = await run('resume');
  expect(resumed.stdout).toContain('resumed; it was paused by');
  const again = await run('resume', '--json');
  expect(again.exitCode).toBe(0);
  expect(JSON.parse(again.stdout).result).toMatchObject({ wasPaused: false });
  expect((await reports()).map((name) => name.split('-')[0])).toEqual(['pause', 'resume']);
  await rm(folder, { recursive: true });
});
