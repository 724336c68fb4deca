import { type ChildProcess, spawn } from 'node:child_process';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { type CheckReport, type PreflightOptions, runPreflight } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { hasPgbouncer, startPgbouncer } from '../../support/pgbouncer.ts';
import { isOnPath } from '../../support/programs.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

/** Every open transaction is one that is open for long: nothing here has to wait. */
async function look(url: string, id: string, options: PreflightOptions = { longTransactionMs: 0 }) {
  await using connection = await openConnection(url);
  const { checks, mayRun } = await runPreflight(connection, options);
  const report: CheckReport | undefined = checks.find((check) => check.id === id);
  if (report === undefined) throw new Error(`no check ${id}`);
  return { ...report, mayRun };
}

const session = (db: TestDatabase, application: string): Sql =>
  db.connect({ max: 1, connection: { application_name: application } });

const hasPgDump = isOnPath('pg_dump');

describe.each(serverVersions)('PostgreSQL %i: in the way is', (version) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createDatabase(version, 'legacy');
  });
  afterAll(() => db[Symbol.asyncDispose]());

  test('nobody', async () => {
    for (const id of [
      'long-transactions',
      'running-dumps',
      'prepared-transactions',
      'running-builds',
      'running-migration',
      'pooler',
    ])
      expect(await look(db.url, id)).toMatchObject({ level: 'ok' });
  });

  test('an idle transaction: who, how long, and its statement without literals', async () => {
    const idle = session(db, 'settlement');
    await idle.unsafe(`begin; update sessions set exchange = 'kraken' where id = 'account-4711'`);
    const report = await look(db.url, 'long-transactions');
    expect(report).toMatchObject({
      level: 'warning',
      mayRun: true,
      found: expect.stringMatching(/^1 transaction open/),
    });
    expect(report.details).toEqual([
      expect.stringMatching(
        /^pid \d+ \(settlement, role postgres, from 127\.0\.0\.1, idle in transaction for \d+ m?s\): .*update sessions set exchange = \? where id = \?$/,
      ),
    ]);
    expect(JSON.stringify(report)).not.toMatch(/kraken|4711/);
    expect(await look(db.url, 'long-transactions', {})).toMatchObject({ level: 'ok' });
    await idle.unsafe('rollback');
  });

  test('a long statement', async () => {
    const busy = session(db, 'analytics');
    const running = busy.unsafe('select pg_sleep(600)');
    running.catch(() => {});
    await until(async () => (await look(db.url, 'long-transactions')).level === 'warning', 'it runs');
    const report = await look(db.url, 'long-transactions');
    expect(report.details).toEqual([
      expect.stringMatching(
        /^pid \d+ \(analytics, role postgres, from 127\.0\.0\.1, active for \d+ m?s\): select pg_sleep\(\?\)$/,
      ),
    ]);
    running.cancel();
    await expect(running).rejects.toMatchObject({ code: '57014' });
  });

  test.skipIf(!hasPgDump || version !== 15)('a running pg_dump', async () => {
    // It locks all tables in one statement, and waits for the one that we hold.
    await db.sql`create table unrelated (id int)`;
    const holder = session(db, 'holder');
    await holder.unsafe('begin; lock table unrelated in access exclusive mode');
    const child = spawn('pg_dump', ['--format=custom', '--file=/dev/null', db.url], { stdio: 'ignore' });
    await until(async () => (await look(db.url, 'running-dumps')).level === 'warning', 'pg_dump runs');
    const report = await look(db.url, 'running-dumps');
    expect(report).toMatchObject({
      found: '1 dump running',
      advice: expect.stringContaining('when the dump has ended'),
    });
    expect(report.details).toEqual([
      expect.stringMatching(/^pid \d+ \(pg_dump, role postgres, from 127\.0\.0\.1, active for \d+ m?s\)/),
    ]);
    // It is told once, as what it is.
    expect((await look(db.url, 'long-transactions')).details?.join()).not.toContain('pg_dump');
    await ended(child);
    await holder.unsafe('rollback; drop table unrelated');
  });

  test('what a pg_dump of any version looks like: its name and its snapshot', async () => {
    const dump = session(db, 'pg_dump');
    await dump.unsafe('begin isolation level repeatable read, read only; select count(*) from fills');
    expect(await look(db.url, 'running-dumps')).toMatchObject({ level: 'warning', found: '1 dump running' });
    await dump.unsafe('rollback');
  });

  test('a prepared transaction: it blocks where it holds locks on the tables', async () => {
    const name = `xa ${db.name}`;
    const manager = session(db, 'transaction manager');
    await manager.unsafe(`begin; create table elsewhere (id int); prepare transaction '${name}'`);
    expect(await look(db.url, 'prepared-transactions')).toMatchObject({
      level: 'warning',
      found: '1 prepared transaction, 0 of them with locks on these tables',
    });
    await manager.unsafe(`rollback prepared '${name}'`);

    await manager.unsafe(`begin; insert into fills (id) values ('prepared'); prepare transaction '${name}'`);
    const report = await look(db.url, 'prepared-transactions');
    await manager.unsafe(`rollback prepared '${name}'`);
    expect(report).toMatchObject({ level: 'blocker', mayRun: false });
    expect(report.details).toEqual([
      expect.stringMatching(
        new RegExp(`^'${name}' of postgres, prepared \\d+ m?s ago, holds locks on fills$`),
      ),
    ]);
  });

  test('another run of the migrations', async () => {
    const other = session(db, 'multi-pair-db');
    await other`select pg_advisory_lock(hashtextextended('multi-pair-db', 0))`;
    expect(await look(db.url, 'running-migration')).toMatchObject({
      level: 'blocker',
      details: [
        expect.stringMatching(/^pid \d+ \(multi-pair-db, role postgres, from 127\.0\.0\.1, idle for /),
      ],
    });
    await other.end();
  });

  test('a build that is still alive in another session', async () => {
    for (const [index, level] of [
      ['idx_fills_session_symbol', 'blocker'],
      ['idx_of_others', 'warning'],
    ]) {
      // An open snapshot holds the build up, as a long reader would.
      const reader = session(db, 'reader');
      await reader.unsafe('begin isolation level repeatable read; select 1');
      const builder = session(db, 'older attempt');
      const build = builder.unsafe(`create index concurrently ${index} on fills (sessionid, symbol)`);
      build.catch(() => {});
      await until(async () => (await look(db.url, 'running-builds')).level !== 'ok', 'the build runs');
      const report = await look(db.url, 'running-builds');
      expect(report.level).toBe(level);
      expect(report.details).toEqual([
        expect.stringMatching(
          new RegExp(
            `^${index} on fills: (waiting for|building|initializing|index validation).*, by pid \\d+ \\(older attempt, role postgres, from 127.0.0.1, active for .*create index concurrently`,
          ),
        ),
      ]);
      await reader.unsafe('rollback');
      await build;
      await db.sql.unsafe(`drop index ${index}`);
    }
  });

  test.skipIf(!hasPgbouncer)(
    'a pgbouncer in transaction or statement mode; one in session mode is not',
    async () => {
      const port = Number(new URL(db.url).port);
      for (const mode of ['transaction', 'statement'] as const) {
        await using pooled = await startPgbouncer(port, mode);
        const report = await look(pooled.url(db.name), 'pooler');
        expect(report).toMatchObject({
          level: 'blocker',
          mayRun: false,
          advice: expect.stringContaining('URL of the server'),
        });
        expect(await look(pooled.url(db.name), 'privileges')).toMatchObject({
          level: 'skipped',
          found: 'not checked: this is for the URL of the server itself',
        });
      }
      await using kept = await startPgbouncer(port, 'session');
      expect(await look(kept.url(db.name), 'pooler')).toMatchObject({ level: 'ok' });
    },
  );

  test('interrupted, it says so and leaves nothing behind', async () => {
    await using connection = await openConnection(db.url);
    const interrupt = AbortSignal.abort();
    await expect(runPreflight(connection, { signal: interrupt })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(await connection.query('select 1 as one where now() = statement_timestamp()')).toEqual([
      { one: 1 },
    ]);
  });
});

test('a build in another database is in nobody’s way, even where its tables have the same numbers', async () => {
  // Both are copies of one template.
  await using here = await createDatabase(18, 'migrated');
  await using there = await createDatabase(18, 'migrated');
  const reader = session(there, 'reader');
  await reader.unsafe('begin isolation level repeatable read; select 1');
  const build = session(there, 'builder').unsafe('create index concurrently elsewhere on fills (side)');
  build.catch(() => {});
  await until(async () => (await look(there.url, 'running-builds')).level === 'warning', 'the build runs');
  expect(await look(here.url, 'running-builds')).toMatchObject({ level: 'ok' });
  await reader.unsafe('rollback');
  await build;
});

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
