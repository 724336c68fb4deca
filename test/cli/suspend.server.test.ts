import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliProcess, startCli } from '../support/cli.ts';
import { findPrograms, needsPrograms } from '../support/client-programs.ts';
import { createDatabase } from '../support/database.ts';
import { untilLockWait } from '../support/lock-waits.ts';
import { until } from '../support/waiting.ts';

const newest = 18;
const programs = findPrograms(newest);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-suspend-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Waits until the command has answered Ctrl-Z; a process that was suspended never does. */
async function suspend({ child }: CliProcess): Promise<void> {
  let said = '';
  child.stderr.on('data', (text: string) => {
    said += text;
  });
  child.kill('SIGTSTP');
  await until(async () => said.includes('not suspended: '), 'it says that it was not suspended');
}

test('migrate goes on after Ctrl-Z, and says how to stop it', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const holder = db.connect({ max: 1 });
  await holder.unsafe('begin; lock table fills in access exclusive mode');
  const cli = startCli(['migrate', '--url', db.url, '--reports', folder]);
  await untilLockWait(db.sql);
  await suspend(cli);
  await holder.unsafe('rollback');
  const { exitCode, stdout, stderr } = await cli.ended;
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('verified');
});

test.skipIf(programs === undefined)(
  `backup goes on after Ctrl-Z, and so does pg_dump, which the terminal has suspended${needsPrograms(newest)}`,
  async () => {
    await using db = await createDatabase(newest, 'migrated');
    const holder = db.connect({ max: 1 });
    await holder.unsafe('begin; lock table fills in access exclusive mode');
    const cli = startCli(['backup', '--dir', folder, '--url', db.url], { PG_BIN: programs ?? '' });
    await untilLockWait(db.sql);
    const dump = await childOf(cli.child.pid ?? 0, 'pg_dump');
    process.kill(dump, 'SIGSTOP');
    await until(async () => (await stateOf(dump)) === 'T', 'pg_dump is suspended');
    await suspend(cli);
    await holder.unsafe('rollback');
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(0);
  },
);

/** Of /proc/PID/stat: `PID (name) state parent …`. */
async function readStat(pid: number | string): Promise<{ name: string; state: string; parent: number }> {
  const [, name = '', state = '', parent = ''] =
    /^\d+ \((.*)\) (\S) (\d+)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return { name, state, parent: Number(parent) };
}

const stateOf = async (pid: number): Promise<string> => (await readStat(pid)).state;

async function childOf(parent: number, name: string): Promise<number> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may end between the two looks.
    const stat = await readStat(pid).catch(() => undefined);
    if (stat?.parent === parent && stat.name === name) return Number(pid);
  }
  throw new Error(`${parent} has no child ${name}`);
}
