import { expect, inject, test } from 'vitest';
import type { OperationError } from '../../../src/connection/errors.ts';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, runPreflight } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { forEachTag } from '../../support/facts.ts';
import { migrate } from '../../support/migrations.ts';
import { hasPgbouncer, startPgbouncer } from '../../support/pgbouncer.ts';
import { until } from '../../support/waiting.ts';

const newest = 18;
const takeLock = "select pg_advisory_lock(hashtextextended('multi-pair-db', 0)), 'SECRET'";

async function refusal(url: string): Promise<OperationError> {
  await using connection = await openConnection(url);
  return await applyMigrations(connection, { lockWaitMs: 0 }).then(
    () => {
      throw new Error('it was not refused');
    },
    (error: OperationError) => error,
  );
}

/** Until a session has done nothing for long enough to be told from a run between two statements. */
const untilIdle = (db: TestDatabase, pid: number): Promise<void> =>
  until(
    async () =>
      (
        await db.sql`select from pg_stat_activity
          where pid = ${pid} and state = 'idle' and clock_timestamp() - state_change > interval '1 s'`
      ).length > 0,
    'it has been idle for a second',
  );

/** Runs the command that the error says. */
async function release(db: TestDatabase, { advice }: OperationError): Promise<void> {
  const [command] = /select pg_terminate_backend\(\d+\);/.exec(advice) ?? [];
  expect(command, advice).toBeDefined();
  await db.sql.unsafe(command ?? '');
}

test('a lock that was left behind names its session, and the command that releases it', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const service = db.connect({ max: 1, connection: { application_name: 'settlement' } });
  service.unsafe(takeLock).catch(() => {});
  const [session] = await service`select pg_backend_pid() as pid`;
  const pid = Number(session?.['pid']);
  await untilIdle(db, pid);

  const error = await refusal(db.url);
  expect(error).toMatchObject({ code: 'LOCKED', exitCode: 4, isRetryable: false });
  expect(error.message).toMatch(
    new RegExp(
      `was left behind in a session that does nothing: pid ${pid} \\(settlement\\), role postgres, from 127.0.0.1:\\d+, idle for \\d+ .*since \\d{4}-.* UTC, its last statement: select pg_backend_pid\\(\\) as pid; waited .*, nothing was changed`,
    ),
  );
  expect(error.advice).toContain(`select pg_terminate_backend(${pid});`);
  expect(JSON.stringify(error)).not.toContain('SECRET');

  await using connection = await openConnection(db.url);
  const { checks } = await runPreflight(connection);
  expect(checks.find(({ id }) => id === 'running-migration')).toMatchObject({
    level: 'blocker',
    advice: expect.stringContaining(`select pg_terminate_backend(${pid});`),
  });

  await release(db, error);
  await expect(applyMigrations(connection)).resolves.toMatchObject({ applied: forEachTag({}) });
});

test.each([
  ['a paused run of ours', { application_name: 'multi-pair-db' }, 'select 1'],
  ['a file in somebody’s hands', { application_name: 'psql' }, 'select 1 -- multi_pair_db.prove(…)'],
])('%s is not called left behind', async (_what, connectionOptions, last) => {
  await using db = await createDatabase(newest, 'legacy');
  const other = db.connect({ max: 1, connection: connectionOptions });
  const [session] = await other`select pg_backend_pid() as pid`;
  await other.unsafe(takeLock);
  await other.unsafe(last);
  await untilIdle(db, Number(session?.['pid']));
  const error = await refusal(db.url);
  expect(error).toMatchObject({ code: 'LOCKED', isRetryable: true });
  expect(error.message).toContain('another migration of this database is running');
  expect(error.advice).not.toContain('pg_terminate_backend');
});

test('what a pooler holds is left behind whatever it said last', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const other = db.connect({ max: 1, connection: { application_name: 'Supavisor' } });
  const [session] = await other`select pg_backend_pid() as pid`;
  await other.unsafe(takeLock);
  await other.unsafe('select 1 -- multi_pair_db.enter(…)');
  await untilIdle(db, Number(session?.['pid']));
  expect((await refusal(db.url)).message).toContain('was left behind');
});

test.skipIf(!hasPgbouncer)(
  'stock drizzle-kit through a pooler, after an error in a file: the lock it leaves can be released (needs pgbouncer on PATH)',
  async () => {
    await using db = await createDatabase(newest, 'legacy');
    await db.sql`insert into fills (id, symbol, "timestamp", price, size)
      select n::text, 'A/B', 1, 1, 1 from generate_series(1, 2) as n`;
    await using pooler = await startPgbouncer(inject('serverPorts')[newest], 'transaction', 1);
    await expect(migrate(pooler.url(db.name))).rejects.toThrow();
    const [holder] = await db.sql`select pid from pg_locks where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())`;
    // With one session in the pool, the pooler keeps it, and the lock.
    expect(holder).toBeDefined();
    await untilIdle(db, Number(holder?.['pid']));
    const error = await refusal(db.url);
    expect(error.message).toContain('was left behind');
    await release(db, error);
    await db.sql`delete from fills where id = '2'`;
    await using connection = await openConnection(db.url);
    expect((await applyMigrations(connection)).applied.length).toBeGreaterThan(0);
  },
);
