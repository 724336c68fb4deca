import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { runCommand } from '../support/command.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';

const newest = 18;

const isUntouched = async (db: TestDatabase): Promise<void> => {
  expect(await db.sql`select to_regnamespace('multi_pair_db') as made`).toEqual([{ made: null }]);
};

/** A folder of its own, for plans, reports and backups. */
async function createFolder(): Promise<AsyncDisposable & { readonly at: (name: string) => string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-plan-'));
  return {
    at: (name) => path.join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test('a plan on one screen; written down, refused after a drift, and run when it holds', async () => {
  await using db = await createDatabase(newest, 'legacy');
  await using folder = await createFolder();
  const addFills = (kind: string) =>
    db.sql`insert into fills (id, execid) select ${kind} || n, ${kind} || n from generate_series(1, 2000) as n`;
  await addFills('first');
  await db.sql`insert into sessions (id, symbol) values ('one', 'BTC/USD')`;
  await db.sql`vacuum analyze`;
  const file = folder.at('plan.json');
  const places = ['--url', db.url, '--backups', folder.at('none'), '--reports', folder.at('reports')];

  const { text } = await runCommand(['migrate', '--dry-run', '--out', file, ...places]);
  const lines = text.split('\n');
  expect(lines[0]).toMatch(/\d+\/\w+, PostgreSQL 18\.\d+: 3 to apply$/);
  expect(lines.length).toBeLessThan(30);
  // Names of files and folders are as long as they are.
  expect(lines.slice(1, -3).filter((line) => line.length > 80 && !line.includes(folder.at('')))).toEqual([]);
  expect(text).toMatch(
    /0001_multi_pair_support {2}about \d+ ms, [\d.]+ kB of disk\n {4}lock {7}ACCESS EXCLUSIVE on orders, sessions: everybody\s+waits, for\s+some/,
  );
  expect(text).toMatch(
    /0002_symbol_indexes.*\n {4}lock {7}SHARE UPDATE EXCLUSIVE on fills, orders, sessions: reads and\s+writes/,
  );
  expect(text).toMatch(/time {9}about .*: an estimate from rows and bytes/);
  expect(text).toMatch(/tables {7}fills: about 2,000 rows, [\d.]+ kB\n/);
  expect(text).toMatch(/backup {7}none of this database/);
  expect(text).not.toContain('create ');
  await isUntouched(db);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    release: expect.stringMatching(/^\d/),
    files: tags.map((tag) => ({ tag })),
    database: { name: db.name },
  });

  await addFills('later');
  await db.sql`analyze fills`;
  const refused = await runCli(['migrate', '--plan', file, '--json', ...places]);
  expect(refused).toMatchObject({ exitCode: 4, stderr: '' });
  expect(JSON.parse(refused.stdout)).toMatchObject({
    command: 'migrate',
    exitCode: 4,
    error: { code: 'REFUSED', message: expect.stringContaining('other rows: fills has about 4,000 rows') },
  });
  await isUntouched(db);

  await runCommand(['migrate', '--dry-run', '--out', file, ...places]);
  // It can be asked whether it holds, without running it.
  await runCommand(['migrate', '--dry-run', '--plan', file, ...places]);
  await isUntouched(db);
  const done = await runCli(['migrate', '--plan', file, '--json', ...places]);
  expect(done.exitCode).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ result: { applied: tags.map((tag) => ({ tag })) } });
});

test('on a terminal the plan is shown and the name of the database is asked for, and typed wrong nothing is done', async () => {
  await using db = await createDatabase(newest, 'legacy');
  await using folder = await createFolder();
  const words = ['migrate', '001', '--url', db.url, '--reports', folder.at('reports')];
  const shown: string[] = [];
  const progress = {
    line: (text: string) => shown.push(text),
    update: () => {},
    clear: () => {},
    share: undefined,
  };
  const questions: string[] = [];
  const answering = (answer: string) => ({
    progress,
    ask: async (question: string) => {
      questions.push(question);
      return answer;
    },
  });

  for (const answer of ['', 'yes', `${db.name}x`]) {
    await expect(runCommand(words, answering(answer))).rejects.toMatchObject({
      code: 'REFUSED',
      exitCode: 4,
    });
  }
  await isUntouched(db);
  expect(questions).toEqual(Array(3).fill(`To migrate it, type the name of the database, ${db.name}: `));
  expect(shown[0]).toContain('2 to apply');

  expect(await runCommand(words, answering(db.name))).toMatchObject({ exitCode: 0 });
  expect(questions).toHaveLength(4);
  // Nothing is left to do, and with --yes nothing is asked.
  await runCommand(words, answering(''));
  await runCommand(['migrate', '--yes', ...words.slice(2)], answering(''));
  expect(questions).toHaveLength(4);
});

test('no plan, and no place for one, are said before anything is changed', async () => {
  await using db = await createDatabase(newest, 'legacy');
  await using folder = await createFolder();
  const refused = (words: readonly string[]) => expect(runCommand([...words, '--url', db.url])).rejects;
  await refused(['migrate', '--plan', folder.at('none.json')]).toMatchObject({ code: 'FILE_INVALID' });
  await refused(['migrate', '--dry-run', '--out', folder.at('no/such/plan.json')]).toMatchObject({
    code: 'FILE_INVALID',
    exitCode: 4,
  });
  await isUntouched(db);
});
