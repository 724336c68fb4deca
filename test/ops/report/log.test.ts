import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRunLog } from '../../../src/ops/report/log.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-log-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tag = '0001_multi_pair_support';
const open = () =>
  openRunLog(folder, {
    command: 'migrate',
    release: '0.2.0',
    target: 'h:1/d',
    operator: { user: 'ops', host: 'bastion' },
  });

test('why a run rested and stepped back stands in the report', async () => {
  const log = open();
  log.record({ kind: 'resting', tag, reason: 'pause', message: 'paused by alice: the market opens' });
  log.record({ kind: 'rested', tag, reason: 'pause', durationMs: 61_000 });
  log.record({ kind: 'started', tag, number: 1, of: 1, isRepair: false });
  const statement = 'create index concurrently <odd> on orders (id)';
  log.record({ kind: 'stepped back', tag, for: [], tries: 1, statement, waitedMs: 251 });
  log.record({ kind: 'longest lag', tag, statement, standby: 's1', lagMs: 4_000, atMs: 1 });
  log.record({ kind: 'trade waits', waits: { measured: false, reason: 'the tables are not there yet' } });
  const { files } = log.close({ exitCode: 0 });
  expect(JSON.parse(await readFile(files?.json ?? '', 'utf8'))).toMatchObject({
    outcome: 'done',
    rests: [{ reason: 'pause', restedMs: 61_000 }],
    stepBacks: [{ waitedMs: 251, statement }],
    longestLag: { standby: 's1', lagMs: 4_000, atMs: 1 },
    tradeWaits: { measured: false },
  });
  const page = await readFile(files?.page ?? '', 'utf8');
  expect(page).toContain('paused by alice: the market opens');
  expect(page).toContain('create index concurrently &lt;odd&gt; on orders (id)');
  expect(page).toContain('Not measured: the tables are not there yet');
});

test('a run that is killed has left what it did until then; one that was refused has left nothing', async () => {
  const before = (await readdir(folder)).length;
  expect(open().close({ exitCode: 4 })).toEqual({});
  expect(await readdir(folder)).toHaveLength(before);
  const log = open();
  log.record({ kind: 'started', tag, number: 1, of: 1, isRepair: false });
  log.record({ kind: 'statement', tag, number: 1, of: 2, statement: 'select 1' });
  const written = await Promise.all(
    (await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')),
  );
  expect(written.filter((text) => text.includes('"outcome": "running"'))).toHaveLength(1);
  expect(written.filter((text) => text.includes('it is going on, or was killed'))).toHaveLength(1);
});

test('a run of parts: each ends where the next begins, and the last one only where the run did not fail', async () => {
  const walk = (end: {
    exitCode: number;
    error?: { code: 'STATEMENT_FAILED'; message: string; advice: string };
  }) => {
    const log = open();
    log.phase('restore');
    log.phase('migrate');
    log.record({ kind: 'statement', tag, number: 1, of: 1, statement: 'select 1' });
    log.phase('verify');
    return log.close(end);
  };
  const readPhases = async (name = '') => JSON.parse(await readFile(name, 'utf8'));
  const took = { durationMs: expect.any(Number) };
  const done = await readPhases(walk({ exitCode: 0 }).files?.json);
  expect(done.phases).toEqual(
    ['restore', 'migrate', 'verify'].map((name) => ({ name, startedAtMs: expect.any(Number), ...took })),
  );
  expect(done.steps).toMatchObject([{ statement: 'select 1', ...took }]);
  const error = { code: 'STATEMENT_FAILED', message: 'x', advice: '' } as const;
  const failed = await readPhases(walk({ exitCode: 5, error }).files?.json);
  expect(failed.phases.map((phase: { durationMs?: number }) => typeof phase.durationMs)).toEqual([
    'number',
    'number',
    'undefined',
  ]);
});
