import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { createDatabase } from '../support/database.ts';

const newest = 18;

test('verify: 0 where there is nothing to say, 1 where there is; text, JSON and plans', async () => {
  await using db = await createDatabase(newest, 'migrated');
  const url = db.url.replace('postgres@', 'postgres:very-secret@');
  const good = await runCli(['verify', '--explain', '--smoke', '--url', url]);
  expect(good).toMatchObject({ exitCode: 0, stderr: '' });
  expect(good.stdout).toMatch(/as things are: 0 rows in [\d.]+ ms/);
  expect(good.stdout).toContain('ok    the same fill is refused under another id');
  expect(good.stdout).toMatch(
    /\nverified: the database is what this release of multi-pair-db says\n\nnext: multi-pair-db indexes\n$/,
  );

  await db.sql`drop index idx_orders_symbol_status`;
  const bad = await runCli(['verify', '--url', url]);
  expect(bad).toMatchObject({ exitCode: 1, stderr: '' });
  expect(bad.stdout).toContain(
    'fault: index idx_orders_symbol_status\n  expected:   btree (symbol, status)\n  found:      missing\n',
  );
  expect(bad.stdout).toMatch(/\nnot verified: 1 fault\n\nnext: /);

  const json = await runCli(['verify', '--explain', '--json', '--url', url]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    command: 'verify',
    exitCode: 1,
    result: {
      verified: false,
      findings: [{ level: 'fault', object: 'index idx_orders_symbol_status' }],
      plans: [{ usable: true }, { usable: true }],
    },
  });
  expect(good.stdout + bad.stdout + json.stdout).not.toContain('very-secret');
});
