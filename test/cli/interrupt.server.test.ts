import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { backupDatabase } from '../../src/ops/backup/backup.ts';
import { type CliProcess, type CliResult, startCli } from '../support/cli.ts';
import { findPrograms, needsPrograms } from '../support/client-programs.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { makeDeaf } from '../support/deaf-program.ts';
import { type Manner, startEndpoint, startLine } from '../support/endpoints.ts';
import { untilLockWait } from '../support/lock-waits.ts';
import { until } from '../support/waiting.ts';

const newest = 18;
const programs = findPrograms(newest);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-interrupt-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What each command needs to get as far as connecting. */
const words: Record<string, string[]> = {
  rollback: ['rollback', '002'],
  maintain: ['maintain', 'analyze'],
  // It reads its file before it connects; below it has one.
  restore: [],
};
const lines = commands.map(({ name }) => words[name] ?? [name]).filter((line) => line.length > 0);

async function interrupt({ child, ended }: CliProcess, signal: NodeJS.Signals): Promise<CliResult> {
  const sentAtMs = Date.now();
  child.kill(signal);
  const result = await ended;
  expect(Date.now() - sentAtMs, result.stderr).toBeLessThan(2_000);
  return result;
}

test('every command against what is no server: exit code 3, in words, and no password', async () => {
  const some = lines.filter(([name]) => ['status', 'migrate', 'backup'].includes(name ?? ''));
  const manners: [Manner, string[][]][] = [
    ['says nothing', lines],
    ['closes at once', some],
    ['answers garbage', some],
  ];
  for (const [manner, tried] of manners) {
    await using endpoint = await startEndpoint(manner);
    const url = `postgres://u:SECRET@127.0.0.1:${endpoint.port}/db?connect_timeout=1`;
    const results = await Promise.all(tried.map((line) => startCli([...line, '--json', '--url', url]).ended));
    for (const { exitCode, stdout, stderr } of results) {
      expect(exitCode, stdout + stderr).toBe(3);
      expect(JSON.parse(stdout).error).toMatchObject({
        code: 'UNREACHABLE',
        advice: expect.stringMatching(/\w/),
      });
      expect(stdout + stderr).not.toContain('SECRET');
    }
  }
});

test('every command is gone within two seconds of SIGINT and SIGTERM while it connects: exit code 5', async () => {
  for (const [index, line] of lines.entries()) {
    await using endpoint = await startEndpoint('says nothing');
    const url = `postgres://u@127.0.0.1:${endpoint.port}/db`;
    const cli = startCli([...line, '--json', '--url', url]);
    await until(async () => endpoint.connections() > 0, `${line[0]} connects`);
    const { exitCode, stdout } = await interrupt(cli, index % 2 === 0 ? 'SIGINT' : 'SIGTERM');
    expect(exitCode, stdout).toBe(5);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'INTERRUPTED',
      message: expect.stringContaining('while connecting to'),
      isRetryable: false,
    });
  }
});

/** Stops the backends of a database that are ours, and lets them go on at the end. */
async function stopBackends(db: TestDatabase): Promise<AsyncDisposable> {
  const rows = await db.sql`select pid from pg_stat_activity
    where datname = current_database() and application_name = 'multi-pair-db'`;
  const pids = rows.map((row) => Number(row['pid']));
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return {
    [Symbol.asyncDispose]: async () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    },
  };
}

test.each([
  ['migrate', 'legacy', 'lock table fills in access exclusive mode'],
  ['status', 'migrated', 'lock table sessions in access exclusive mode'],
  ['dedupe', 'migrated', 'lock table fills in access exclusive mode'],
] as const)(
  '%s, whose server has stopped in a statement: gone, and it says what may be left',
  async (name, state, lock) => {
    await using db = await createDatabase(newest, state);
    const holder = db.connect({ max: 1 });
    await holder.unsafe(`begin; ${lock}`);
    const cli = startCli([name, '--url', db.url]);
    // 0001 tries for its lock again and again: it may be between two tries, and is as well stopped there.
    const patience = name === 'migrate' ? 5_000 : 30_000;
    await untilLockWait(db.sql, patience);
    await using _stopped = await stopBackends(db);
    const { exitCode, stderr } = await interrupt(cli, 'SIGTERM');
    expect(exitCode).toBe(5);
    expect(stderr).toContain('has not answered the cancel request, and was left');
    expect(stderr).toMatch(/select pg_terminate_backend\(\d+\);/);
    expect(stderr).toContain('multi-pair-db status');
    await holder.unsafe('rollback');
  },
);

test('status, whose line has gone dead in a statement: gone, and it says what may be left', async () => {
  await using db = await createDatabase(newest, 'migrated');
  await using line = await startLine(inject('serverPorts')[newest]);
  const holder = db.connect({ max: 1 });
  await holder.unsafe('begin; lock table sessions in access exclusive mode');
  const cli = startCli(['status', '--url', `postgres://postgres@127.0.0.1:${line.port}/${db.name}`]);
  await untilLockWait(db.sql);
  line.freeze();
  const { exitCode, stderr } = await interrupt(cli, 'SIGINT');
  expect(exitCode).toBe(5);
  expect(stderr).toMatch(/select pg_terminate_backend\(\d+\);/);
  await holder.unsafe('rollback');
});

test.skipIf(programs === undefined)(
  `backup, whose server has stopped: pg_dump is killed, no file is left${needsPrograms(newest)}`,
  async () => {
    await using db = await createDatabase(newest, 'migrated');
    const holder = db.connect({ max: 1 });
    await holder.unsafe('begin; lock table fills in access exclusive mode');
    const dir = path.join(folder, 'stopped');
    const cli = startCli(['backup', '--dir', dir, '--url', db.url], { PG_BIN: programs ?? '' });
    await untilLockWait(db.sql);
    await using _stopped = await stopBackends(db);
    const { exitCode, stderr } = await interrupt(cli, 'SIGINT');
    expect(exitCode, stderr).toBe(5);
    expect(stderr).toContain('pg_dump was interrupted');
    expect(await readdir(dir)).toEqual([]);
    await holder.unsafe('rollback');
  },
);

test.skipIf(programs === undefined)(
  `restore, whose pg_restore does not listen: it is killed, and the database stays as it was${needsPrograms(newest)}`,
  async () => {
    await using db = await createDatabase(newest, 'migrated');
    await using empty = await createDatabase(newest, 'empty');
    const bin = path.join(folder, 'deaf');
    const { path: file } = await withPrograms(programs ?? '', () => backupDatabase(db.url, { folder }));
    await makeDeaf(bin, programs ?? '');
    const cli = startCli(['restore', file, '--into', empty.name, '--url', empty.url], { PG_BIN: bin });
    await until(async () => (await readdir(bin)).includes('pid'), 'pg_restore runs');
    const { exitCode, stderr } = await interrupt(cli, 'SIGTERM');
    expect(exitCode, stderr).toBe(5);
    expect(stderr).toContain('pg_restore was interrupted');
    expect(stderr).toContain('so it was killed');
    const [row] = await empty.sql`select to_regclass('fills') as fills`;
    expect(row).toEqual({ fills: null });

    await using endpoint = await startEndpoint('says nothing');
    const nowhere = `postgres://u@127.0.0.1:${endpoint.port}/db`;
    const connecting = startCli(['restore', file, '--into', 'db', '--url', nowhere], { PG_BIN: bin });
    await until(async () => endpoint.connections() > 0, 'restore connects');
    expect(await interrupt(connecting, 'SIGINT')).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('while connecting to'),
    });
  },
);

async function withPrograms<Result>(bin: string, work: () => Promise<Result>): Promise<Result> {
  const before = process.env['PG_BIN'];
  process.env['PG_BIN'] = bin;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env['PG_BIN'];
    else process.env['PG_BIN'] = before;
  }
}
