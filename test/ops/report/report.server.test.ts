import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { findPrograms, needsPrograms } from '../../support/client-programs.ts';
import { runCommand } from '../../support/command.ts';
import { createDatabase } from '../../support/database.ts';
import { tags } from '../../support/facts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-reports-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const version = findPrograms(15) === undefined ? 18 : 15;
const programs = findPrograms(version);

test.skipIf(programs === undefined)(
  `migrate demands a fresh backup, analyzes, and writes down what it did${needsPrograms(version)}`,
  async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 500) as n`;
    const backups = path.join(folder, 'backups');
    const reports = path.join(folder, 'done');
    const url = db.url.replace('postgres@', 'postgres:geheim@');
    const migrate = [
      'migrate',
      '--require-backup',
      '24h',
      '--backups',
      backups,
      '--reports',
      reports,
      '--json',
      '--url',
      url,
    ];
    const refused = await runCli(migrate);
    expect(JSON.parse(refused.stdout)).toMatchObject({ exitCode: 4, error: { code: 'REFUSED' } });
    const [untouched] = await db.sql`select to_regclass('multi_pair_db.migrations') as journal`;
    expect(untouched).toEqual({ journal: null });

    const backup = await runCli(['backup', '--dir', backups, '--json', '--url', url], {
      PG_BIN: programs ?? '',
    });
    const done = await runCli(migrate);
    expect(done, done.stdout).toMatchObject({ exitCode: 0 });
    expect(done.stderr).toContain('report: ');
    const { json, page } = JSON.parse(done.stdout).result.report;
    const report = JSON.parse(await readFile(json, 'utf8'));
    expect(report).toMatchObject({
      command: 'migrate',
      outcome: 'done',
      verification: { verified: true },
      backup: { path: JSON.parse(backup.stdout).result.path },
      analyzed: [{ name: 'sessions' }, { name: 'orders' }, { name: 'fills' }],
      tradeWaits: { measured: true, during: { count: expect.any(Number) }, limitMs: 250 },
      rests: expect.any(Array),
      stepBacks: [],
    });
    expect(new Set(report.steps.map((step: { tag: string }) => step.tag))).toEqual(new Set(tags));
    for (const step of report.steps) expect(step).toMatchObject({ durationMs: expect.any(Number) });
    const text = await readFile(page, 'utf8');
    expect(text).toContain('longest wait of a trade');
    expect(report.steps.map((step: { statement: string }) => step.statement).join()).toContain(
      'create unique index concurrently if not exists idx_fills_unique_dedup',
    );
    expect(report).toMatchObject({ role: 'postgres', exitCode: 0, tables: expect.any(Array) });
    expect(text + JSON.stringify(report)).not.toContain('geheim');
    const [statistics] =
      await db.sql`select count(*)::int as columns from pg_stats where tablename = 'sessions' and attname = 'pairs'`;
    expect(statistics).toEqual({ columns: 1 });

    expect(await runCli(migrate)).toMatchObject({ exitCode: 0 });
    expect(await readdir(reports)).toHaveLength(2);
  },
);

test('a run that fails is written down too, with its error and without a value of a row', async () => {
  await using db = await createDatabase(18, 'legacy');
  await db.sql`insert into fills (id, symbol, timestamp, price, size)
    select id, 'SECRET/USD', 1, 1, 1 from unnest(array['a', 'b']) as id`;
  const reports = path.join(folder, 'failed');
  expect(await runCli(['migrate', '--reports', reports, '--url', db.url])).toMatchObject({ exitCode: 5 });
  const names = await readdir(reports);
  const texts = await Promise.all(names.map((name) => readFile(path.join(reports, name), 'utf8')));
  const report = JSON.parse(texts.find((text) => text.startsWith('{')) ?? '');
  expect(report).toMatchObject({ outcome: 'failed', error: { code: 'DUPLICATES', sqlState: '23505' } });
  expect(report.steps.at(-1)).not.toHaveProperty('durationMs');
  expect(texts.join()).not.toContain('SECRET');
  expect(texts.join()).toContain('multi-pair-db dedupe');
});

test('every command that writes leaves one, and none where nothing was written', async () => {
  await using db = await createDatabase(18, 'migrated');
  const reports = path.join(folder, 'each');
  const run = (...words: string[]) => runCommand([...words, '--reports', reports, '--url', db.url]);
  await run('rollback', '002', '--dry-run');
  await run('dedupe', '--dry-run');
  await run('migrate');
  expect(await readdir(reports)).toEqual([]);
  const told = path.join(folder, 'told');
  const tell = `printf '%s\\n' "$MULTI_PAIR_DB_COMMAND $MULTI_PAIR_DB_EXIT_CODE $MULTI_PAIR_DB_REPORT" >> '${told}'`;
  await run('rollback', '002', '--notify', tell);
  await run('dedupe');
  await run('maintain', 'analyze');
  await expect(run('maintain', 'reindex', 'idx_of_nobody', '--notify', tell)).rejects.toThrow(
    'idx_of_nobody',
  );
  expect(await readFile(told, 'utf8')).toMatch(/^rollback 0 .*\.html\nmaintain [24] .*\.html\n$/);
  const names = (await readdir(reports)).filter((name) => name.endsWith('.json'));
  const written = await Promise.all(names.map((name) => readFile(path.join(reports, name), 'utf8')));
  expect(
    written
      .map((text) => JSON.parse(text))
      .map(({ command, outcome }) => `${command} ${outcome}`)
      .toSorted(),
  ).toEqual(['dedupe done', 'maintain done', 'maintain failed', 'rollback done']);
});

test('refuses before it changes anything where the report can’t be written, and an age that is none', async () => {
  await using db = await createDatabase(18, 'legacy');
  const file = path.join(folder, 'a-file');
  await writeFile(file, '');
  expect(await runCli(['migrate', '--reports', file, '--url', db.url])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('can’t be written to'),
  });
  expect(await runCli(['migrate', '--require-backup', 'yesterday', '--url', db.url])).toMatchObject({
    exitCode: 2,
  });
  const [untouched] = await db.sql`select to_regclass('multi_pair_db.migrations') as journal`;
  expect(untouched).toEqual({ journal: null });
});
