import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { createDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';
import { migrateAtOnce } from '../support/migrate-at-once.ts';
import { oddities } from '../support/oddities.ts';
import { rollBackDatabaseDownTo } from '../support/rollback.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

const newest = 18;

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('SIGTERM cancels the work on the server, and says what is done and what the next run does', async () => {
    await using db = await createDatabase(version, 'legacy');
    const reader = db.connect({ max: 1, connection: { application_name: 'nightly dump' } });
    await reader`begin isolation level repeatable read`;
    await reader`select 1 from pg_class limit 1`;
    const { child, ended } = startCli(['migrate', '--url', db.url]);
    await until(
      async () =>
        (
          await db.sql`select from pg_stat_progress_create_index
      where datname = current_database() and phase like 'waiting%'`
        ).length > 0,
      'the build waits for the reader',
    );
    child.kill('SIGTERM');
    const { exitCode, stderr } = await ended;

    expect(exitCode).toBe(5);
    expect(stderr).toContain('SIGTERM: stopping the work on the server');
    expect(stderr).toMatch(
      /^Stopped at your request at \d+ %\. Nothing is lost; run the same command again\.$/m,
    );
    expect(stderr).not.toContain('error:');
    expect(stderr).toContain('0002_symbol_indexes was interrupted');
    expect(stderr).toContain('Applied in this run: 0000_baseline, 0001_multi_pair_support');
    expect(
      await db.sql`select from pg_stat_progress_create_index where datname = current_database()`,
    ).toHaveLength(0);
    expect(
      await db.sql`select from pg_stat_activity
      where application_name = 'multi-pair-db' and datname = current_database()`,
    ).toHaveLength(0);
    await reader`commit`;
    expect((await runCli(['migrate', '--url', db.url])).exitCode).toBe(0);
  });

  test('five at once: each ends with 0 or 4, and the work is done once', () => migrateAtOnce(version, 5));
});

test('an operator’s night: status, dry run, migrate, roll back, with exit codes and JSON', async () => {
  await using db = await createDatabase(newest, 'legacy');
  await db.sql.unsafe(oddities);
  const env = { DATABASE_URL: db.url };

  const before = await runCli(['status'], env);
  expect(before).toMatchObject({ exitCode: 1, stderr: '' });
  expect(before.stdout).toMatch(/pending +0001_multi_pair_support/);

  const dry = await runCli(['migrate', '--dry-run', '--sql'], env);
  expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
  expect(dry.stdout).toContain(
    'create unique index concurrently if not exists idx_fills_unique_dedup on fills (',
  );
  expect(await db.sql`select to_regnamespace('multi_pair_db') as journal`).toEqual([{ journal: null }]);

  const done = await runCli(['migrate', '--json'], env);
  expect(done.exitCode).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({
    command: 'migrate',
    exitCode: 0,
    result: { applied: tags.map((tag) => ({ tag })) },
  });

  const after = await runCli(['status', '--json'], env);
  expect(JSON.parse(after.stdout)).toMatchObject({
    exitCode: 0,
    result: { hasOlderJournal: true, faults: [] },
  });

  await rollBackDatabaseDownTo(db.url, '002');
  expect((await runCli(['rollback', '002'], env)).stdout).toContain('undid 0002_symbol_indexes in ');
  const refused = await runCli(['rollback', '001', '--json'], env);
  expect(refused.exitCode).toBe(4);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    command: 'rollback',
    exitCode: 4,
    error: { code: 'DATA_LOSS' },
  });
  expect((await runCli(['rollback', '1', '--accept-data-loss'], env)).exitCode).toBe(0);
  expect((await runCli(['migrate', '0001'], env)).stdout).toContain('applied 0001_multi_pair_support');
  expect((await runCli(['status'], env)).exitCode).toBe(1);
  expect((await runCli(['migrate', '002_nonsense'], env)).exitCode).toBe(2);
});

test('an error says file, statement, SQLSTATE, what PostgreSQL said and what to do', async () => {
  await using db = await createDatabase(newest, 'legacy');
  await db.sql`insert into fills (id, symbol, "timestamp", price, size)
    select n::text, 'SECRET/PAIR', 1700000000123, 4242, 1 from generate_series(1, 2) as n`;
  const { exitCode, stdout, stderr } = await runCli(['migrate', '--url', db.url]);

  expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
  expect(stderr).toMatch(/file: {7}drizzle\/0002_symbol_indexes\.sql:\d+$/m);
  expect(stderr).toContain(
    'statement:  create unique index concurrently if not exists idx_fills_unique_dedup',
  );
  expect(stderr).toContain('SQLSTATE:   23505');
  expect(stderr).toContain('could not create unique index "idx_fills_unique_dedup"');
  expect(stderr).toContain('multi-pair-db duplicates');
  expect(stderr).not.toMatch(/SECRET|4242|1700000000123/);
});

test('a password appears in no output, whatever fails', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const password = 'hunter2-S%C3%A9cret';
  const withPassword = (url: string) => url.replace('postgres@', `postgres:${password}@`);
  const urls = [
    withPassword(db.url),
    withPassword(db.url).replace(db.name, 'no_such_database'),
    withPassword('postgres://postgres@127.0.0.1:1/closed'),
    withPassword('postgres://postgres@no-such-host.invalid/db'),
    withPassword(db.url).replace('postgres:', 'nobody_known:'),
    withPassword('mysql://postgres@127.0.0.1/db'),
    'postgres://postgres:hunter2/S@cret@127.0.0.1/db',
    `${db.url}?password=hunter2&nonsense=1`,
    `${withPassword(db.url)}?application_name=%zz`,
  ];
  const runs = urls.map((url, index) =>
    index % 2 === 0
      ? runCli(['migrate', '--dry-run', '--url', url])
      : runCli(['status', '--json'], { DATABASE_URL: url }),
  );
  const results = await Promise.all(runs);
  expect(results.filter(({ exitCode }) => exitCode === 2).length).toBeGreaterThan(0);
  expect(results.filter(({ exitCode }) => exitCode === 3).length).toBeGreaterThan(0);
  for (const { stdout, stderr } of results) expect(stdout + stderr).not.toMatch(/hunter2|S%C3|Sécret|S@cret/);
});

test('what a driver throws past its caller ends in words, and in one JSON document', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const role = `stranger_${db.name}`;
  await db.sql.unsafe(`create role ${role} login; revoke select on pg_type from public`);
  try {
    // postgres.js asks for the array types by itself, when it has connected.
    const url = db.url.replace('postgres@', `${role}@`);
    const { exitCode, stdout, stderr } = await runCli(['status', '--json', '--url', url]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'status',
      exitCode: 3,
      error: { code: 'PRIVILEGE_MISSING', sqlState: '42501', message: expect.stringContaining('pg_type') },
    });
  } finally {
    await db.sql.unsafe(`drop role ${role}`);
  }
});

test('wrong usage is exit code 2 and says what is right; no database is named by silence', async () => {
  await using folder = await emptyFolder();
  const noUrl = await runCli(['status'], {}, folder.path);
  expect(noUrl).toMatchObject({ exitCode: 2, stdout: '' });
  expect(noUrl.stderr).toContain('DATABASE_URL');
  const json = await runCli(['migrate', '--json', '--frobnicate'], {}, folder.path);
  expect(json).toMatchObject({ exitCode: 2, stderr: '' });
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'USAGE' } });
  const wrong = [['frobnicate'], ['rollback'], ['migrate', '--lock-wait', 'soon'], ['migrate', '--help']];
  const results = await Promise.all(wrong.map((args) => runCli(args, {}, folder.path)));
  expect(results.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 0]);

  await writeFile(path.join(folder.path, '.env'), 'DATABASE_URL=pglite:not-there\n');
  const fromFile = await runCli(['status'], {}, folder.path);
  expect(fromFile.exitCode).toBe(3);
  expect(fromFile.stderr).toContain('there is no embedded database in not-there');
});

test('the embedded database is made by migrate', async () => {
  await using folder = await emptyFolder();
  const url = `pglite:${path.join(folder.path, 'data', 'live')}`;
  expect(await runCli(['migrate', '--url', url])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`${tags.length} applied`),
  });
});

async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-cli-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
