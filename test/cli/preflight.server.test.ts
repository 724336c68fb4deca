import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { createDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';
import { oddities } from '../support/oddities.ts';

const newest = 18;

test('preflight: 0 where nothing is in the way, 1 with what to do where something is', async () => {
  await using db = await createDatabase(newest, 'legacy');
  await db.sql.unsafe(oddities);
  const url = db.url.replace('postgres@', 'postgres:very-secret@');
  const good = await runCli(['preflight', '--url', url]);
  expect(good).toMatchObject({ exitCode: 0, stderr: '' });
  expect(good.stdout).toMatch(/^ok {7}server-version {12}PostgreSQL 18\.\d+$/m);
  expect(good.stdout).toMatch(
    /\nmay run: nothing is in the way\n\nnext: multi-pair-db backup, then multi-pair-db migrate --dry-run\n$/,
  );

  await db.sql`insert into fills (id, symbol, "timestamp", price, size)
    values ('a', 'A/B', 1, 1, 1), ('b', 'A/B', 1, 1, 1)`;
  const bad = await runCli(['preflight', '--url', url]);
  expect(bad.exitCode).toBe(1);
  expect(bad.stdout).toContain(
    [
      'blocker: duplicate-fills: 1 fill stored more than once, 1 row too many',
      '  why:        idx_fills_unique_dedup can’t be built while the same fill is stored twice',
      '  what to do: `multi-pair-db duplicates` lists them',
    ].join('\n'),
  );
  expect(bad.stdout).toMatch(/\nmay not run: 1 blocker, 0 warnings\n\nnext: /);

  const json = await runCli(['preflight', '--json', '--url', url]);
  expect(json).toMatchObject({ exitCode: 1, stderr: '' });
  expect(JSON.parse(json.stdout)).toMatchObject({
    command: 'preflight',
    exitCode: 1,
    result: { mayRun: false, counts: { blocker: 1 }, pending: tags },
  });
  expect(good.stdout + bad.stdout + json.stdout).not.toContain('very-secret');
});

test('a database that can not be reached is 3, not a finding', async () => {
  for (const command of ['preflight', 'verify']) {
    const { exitCode, stdout, stderr } = await runCli([
      command,
      '--url',
      'postgres://me:very-secret@127.0.0.1:1/x',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).not.toContain('very-secret');
  }
});
