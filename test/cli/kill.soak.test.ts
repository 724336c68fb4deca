import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { readCatalog } from '../support/catalog.ts';
import { runCli, startCli } from '../support/cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';
import { brokenPromises, checksumOfOldColumns, oddities } from '../support/oddities.ts';
import { type ServerVersion, serverVersions, startServer } from '../support/server.ts';
import { until } from '../support/waiting.ts';

/** CI has the torture besides, and needs no more than the look at each moment. */
const kills = Number(process.env['TEST_KILLS'] ?? 25);

async function fill(db: TestDatabase): Promise<void> {
  await db.sql.unsafe(oddities);
  await db.sql.unsafe(`
    insert into sessions (id, symbol) select 'many ' || n, 'BTC/USD' from generate_series(1, 3000) as n;
    insert into orders (id, sessionid, symbol) select 'many ' || n, 'many ' || n, 'BTC/USD' from generate_series(1, 3000) as n;
    insert into fills (id, sessionid, symbol, price, size, "timestamp", tradeid)
    select 'many ' || n, 'many ' || 1 + n % 3000, 'BTC/USD', n % 1000, 1, n, n from generate_series(1, 40000) as n`);
}

async function killAndFinish(version: ServerVersion): Promise<string[]> {
  await using expected = await createDatabase(version, 'migrated');
  const catalog = await expected.sql.unsafe(readCatalog);
  const moments: string[] = [];
  for (let round = 0; round < kills; round++) {
    await using db = await createDatabase(version, 'legacy');
    await fill(db);
    const before = await db.sql.unsafe(checksumOfOldColumns);
    const { child, ended } = startCli(['migrate', '--url', db.url]);
    // Every fifth dies before it has said what it is about; the others in the work, which takes about so long.
    if (round % 5 > 0) await Promise.race([once(child.stderr, 'data'), ended]);
    const killAfterMs = Math.random() * (round % 5 > 0 ? 600 : 200);
    await Promise.race([sleep(killAfterMs), ended]);
    child.kill('SIGKILL');
    moments.push(`${Math.round(killAfterMs)} ms: ${(await ended).stderr.split('\n').at(-2) ?? 'not begun'}`);

    const next = await runCli(['migrate', '--url', db.url]);
    const seen = `killed after ${moments.at(-1)}\n${next.stderr}`;
    expect(next.exitCode, seen).toBe(0);
    expect((await runCli(['status', '--url', db.url])).exitCode, seen).toBe(0);
    expect(await db.sql.unsafe(checksumOfOldColumns), seen).toEqual(before);
    expect(await db.sql.unsafe(brokenPromises), seen).toEqual([{ miscounted: 0, without_pairs: 0 }]);
    expect(await db.sql.unsafe(readCatalog), seen).toEqual(catalog);
    expect(await db.sql`select count(*)::int as files from multi_pair_db.migrations`).toEqual([
      { files: tags.length },
    ]);
  }
  return moments;
}

test(`kill -9 of migrate at ${kills} random moments on each server: the next run ends it, and nothing is lost`, async () => {
  const moments = await Promise.all(serverVersions.map(killAndFinish));
  console.log(`killed at\n${moments.flat().sort().join('\n')}`);
});

test.concurrent.each(serverVersions)(
  'PostgreSQL %i: a reader that holds a lock for 10 s keeps nobody waiting for half a second',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    const holder = db.connect({ max: 1 });
    await holder`begin`;
    await holder`select count(*) from sessions`;
    const { ended } = startCli(['migrate', '001', '--url', db.url]);
    const endsAt = Date.now() + 10_000;
    // Each of these fails where it would wait for longer than half a second.
    const others = db.connect({ max: 1, connection: { statement_timeout: 500 } });
    let reads = 0;
    for (; Date.now() < endsAt; reads++) await others`select count(*) from sessions`;
    await holder`commit`;
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(0);
    expect(reads).toBeGreaterThan(100);
    expect(stderr).toMatch(
      /waiting for pid \d+ \(postgres.js, role postgres, from 127\.0\.0\.1, idle in transaction for/,
    );
  },
);

test('a server that is killed under migrate: exit code 3 that says so, and the next run ends it', async () => {
  const server = await startServer(18, { fsync: 'on' });
  try {
    const url = server.url('postgres');
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    expect((await runCli(['migrate', '000', '--url', url])).exitCode).toBe(0);
    await sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 40000) as n`;
    const { ended } = startCli(['migrate', '--url', url]);
    await until(async () => {
      const [row] =
        await sql`select count(*) filter (where to_jsonb(s) -> 'pairs' <> '[]') > 1000 as begun from sessions as s`;
      return row?.['begun'] === true;
    }, 'the backfill has begun');
    await sql.end();
    await server.kill();
    const { exitCode, stderr } = await ended;
    expect(stderr).toContain('the connection to the server was lost');
    expect(exitCode).toBe(3);

    await server.start();
    expect(await runCli(['migrate', '--url', url])).toMatchObject({ exitCode: 0 });
    expect(await runCli(['status', '--url', url])).toMatchObject({ exitCode: 0 });
  } finally {
    await server.destroy();
  }
});
