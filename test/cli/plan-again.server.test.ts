import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type CliResult, startCli } from '../support/cli.ts';
import { runCommand } from '../support/command.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';
import { until } from '../support/waiting.ts';

const newest = 18;
/** More of them than a plan may be off by: the backfill writes each anew, and the file of the table grows to twice its size. */
const sessions = 4_000;

/** Starts the command, and sends it the signal as soon as the database is where it is to be stopped. */
async function stopWhen(
  signal: 'SIGINT' | 'SIGKILL',
  words: readonly string[],
  ask: () => Promise<boolean>,
  what: string,
): Promise<CliResult> {
  const { child, ended } = startCli(words);
  const early = ended.then(({ stderr }) => {
    throw new Error(`ended before ${what}:\n${stderr}`);
  });
  early.catch(() => {});
  await Promise.race([until(ask, what), early]);
  child.kill(signal);
  return ended;
}

/** The last session can't be filled while somebody holds this lock. */
const gate = `
create function wait_at_the_gate() returns trigger language plpgsql as
  'begin perform pg_advisory_xact_lock_shared(7); return new; end';
create trigger trg_gate before update on sessions for each row when (new.id = 'last')
  execute function wait_at_the_gate();
insert into sessions (id, symbol) values ('last', 'BTC/USD')`;

const waitsAtTheGate = async (db: TestDatabase): Promise<boolean> =>
  (
    await db.sql`select from pg_locks as l join pg_database as d on d.oid = l.database
      where d.datname = current_database() and l.locktype = 'advisory' and l.objid = 7 and not l.granted`
  ).length === 1;

const waitsToBuild = async (db: TestDatabase): Promise<boolean> =>
  (
    await db.sql`select from pg_stat_progress_create_index
      where datname = current_database() and phase = 'waiting for writers before build'`
  ).length === 1;

test('a plan whose run is stopped in the backfill, and killed in a build, is finished by the same command', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-again-'));
  try {
    await db.sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, ${sessions - 1}) as n`;
    await db.sql.unsafe(gate);
    // An older attempt: the run sets it aside, and is stopped while its successor is not there yet.
    await db.sql`create index idx_fills_unique_dedup on fills (id, execid)`;
    await db.sql`vacuum analyze`;
    const file = path.join(folder, 'plan.json');
    const places = ['--url', db.url, '--backups', folder, '--reports', path.join(folder, 'reports')];
    const words = ['migrate', '--plan', file, '--yes', ...places];
    await runCommand(['migrate', '--dry-run', '--out', file, ...places]);

    const holder = db.connect({ max: 1 });
    await holder`select pg_advisory_lock(7)`;
    const first = await stopWhen(
      'SIGINT',
      words,
      () => waitsAtTheGate(db),
      'the backfill comes to the last session',
    );
    expect(first, first.stderr).toMatchObject({ exitCode: 5 });
    expect(first.stderr).toContain('run the same command again');
    await holder.unsafe(`select pg_advisory_unlock(7); begin; insert into fills (id) values ('open')`);

    const second = await stopWhen('SIGKILL', words, () => waitsToBuild(db), 'the first index is being built');
    expect(second, second.stderr).toMatchObject({ exitCode: null });
    // The server notices within a second that nobody is there any more.
    await until(async () => !(await waitsToBuild(db)), 'the build of who was killed has ended');
    await holder.unsafe('rollback');

    expect(await runCommand(words)).toMatchObject({
      exitCode: 0,
      result: { alreadyApplied: tags.slice(0, 2), applied: [{ tag: tags[2] }] },
    });
    // Stopped after that, in the verification, it would have had nothing left to do but to verify.
    expect(await runCommand(words)).toMatchObject({ exitCode: 0, result: { applied: [] } });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
