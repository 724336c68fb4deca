import { expect } from 'vitest';
import { runCli } from './cli.ts';
import { createDatabase } from './database.ts';
import { tags } from './facts.ts';
import { oddities } from './oddities.ts';
import type { ServerVersion } from './server.ts';

/** Several processes migrate one live database at the same moment: each ends with 0 or 4, and the work is done once. */
export async function migrateAtOnce(version: ServerVersion, processes: number): Promise<void> {
  await using db = await createDatabase(version, 'legacy');
  await db.sql.unsafe(oddities);
  const runs = Array.from({ length: processes }, () => runCli(['migrate', '--json', '--url', db.url]));
  const results = await Promise.all(runs);

  expect(results.filter(({ exitCode }) => exitCode !== 0 && exitCode !== 4)).toEqual([]);
  const applied = results.flatMap(({ exitCode, stdout }) => {
    const document: { result?: { applied: object[] } } = JSON.parse(stdout);
    return exitCode === 0 ? (document.result?.applied ?? []) : [];
  });
  expect(applied).toHaveLength(tags.length);
  expect(await db.sql`select from multi_pair_db.migrations`).toHaveLength(tags.length);
  expect((await runCli(['status', '--url', db.url])).exitCode).toBe(0);
}
