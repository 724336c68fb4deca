import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runCli, startCli } from '../../support/cli.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { migrate } from '../../support/migrations.ts';
import { serverVersions } from '../../support/server.ts';

const executions = 3_000;
const copies = 4;
const kills = 15;

/** One statement, so one snapshot: what a killed client's backend still commits is in both counts or in none. */
async function expectAllRowsOnce(db: TestDatabase): Promise<void> {
  const [archive] = await db.sql`select to_regclass('multi_pair_db.archived_fills') is not null as present`;
  const archived =
    archive?.['present'] === true ? 'union all select id from multi_pair_db.archived_fills' : '';
  const [row] = await db.sql.unsafe(
    `select count(*)::int as rows, count(distinct id)::int as ids from (select id from fills ${archived}) as a`,
  );
  expect(row).toEqual({ rows: executions * copies, ids: executions * copies });
}

/** Starts the command, kills it at a random moment, and says whether it was still at work. */
async function killOnce(args: readonly string[]): Promise<boolean> {
  const { child, ended } = startCli(args);
  await sleep(150 + Math.random() * 700);
  child.kill('SIGKILL');
  return (await ended).exitCode === null;
}

test.each(serverVersions)(
  'PostgreSQL %i: killed at random moments, no row is lost or doubled',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`
    insert into fills (id, symbol, timestamp, price, size, execid)
    select n || '-' || copy, 'BTC/USD', n, 1, 1, n
    from generate_series(1, ${executions}::int) as n, generate_series(1, ${copies}::int) as copy`;
    let killedAtWork = 0;
    for (let kill = 0; kill < kills; kill++) {
      if (await killOnce(['dedupe', '--batch', '5', '--url', db.url])) killedAtWork++;
      await expectAllRowsOnce(db);
    }
    expect(killedAtWork).toBeGreaterThan(0);
    expect(await runCli(['dedupe', '--url', db.url])).toMatchObject({ exitCode: 0 });
    await expectAllRowsOnce(db);
    await migrate(db.url);

    // The rows that stayed are renamed, as if they had been other executions: one archived copy of each may come back.
    await db.sql`update fills set execid = 'other ' || execid`;
    for (let kill = 0; kill < kills; kill++) {
      await killOnce(['dedupe', '--undo', '--url', db.url]);
      await expectAllRowsOnce(db);
    }
    expect(await runCli(['dedupe', '--undo', '--url', db.url])).toMatchObject({ exitCode: 0 });
    await expectAllRowsOnce(db);
    const [back] = await db.sql`select count(*)::int as rows from fills`;
    expect(back).toEqual({ rows: 2 * executions });
  },
);
