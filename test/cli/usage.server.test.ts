import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { createDatabase } from '../support/database.ts';

test('what is refused ends with 2, in words or in one JSON document, and changes nothing', async () => {
  await using db = await createDatabase(18, 'legacy');
  await db.sql`insert into fills (id, symbol, "timestamp", price, size)
    values ('a', 'A/B', 1, 1, 1), ('b', 'A/B', 1, 1, 1)`;

  for (const words of [
    ['--batch', '0'],
    ['--batch', '10001'],
    ['--dry-run', '--undo'],
  ]) {
    const plain = await runCli(['dedupe', ...words, '--url', db.url]);
    expect(plain).toMatchObject({ exitCode: 2, stdout: '' });
    expect(plain.stderr).toMatch(
      /^error: .*\n {2}what to do: `multi-pair-db dedupe --help` shows what is right\.\n$/,
    );

    const json = await runCli(['dedupe', ...words, '--json', '--url', db.url]);
    expect(json).toMatchObject({ exitCode: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      command: 'dedupe',
      exitCode: 2,
      error: { code: 'USAGE', exitCode: 2 },
    });
  }
  expect(
    await db.sql`select to_regclass('multi_pair_db.archived_fills') as archive, count(*)::int as fills from fills`,
  ).toEqual([{ archive: null, fills: 2 }]);
});

test('no command: the help and exit code 2; help and version are asked for: exit code 0', async () => {
  const none = await runCli([]);
  expect(none).toMatchObject({ exitCode: 2, stdout: '' });
  expect(none.stderr).toContain('Usage: multi-pair-db');
  expect(none.stderr).toMatch(/\nerror: no known command is given\n/);
  const results = await Promise.all(
    [['--help'], ['help'], ['dedupe', '--help'], ['--version']].map((words) => runCli(words)),
  );
  for (const result of results) expect(result).toMatchObject({ exitCode: 0, stderr: '' });
});
