import { expect, inject, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { dedupeFills } from '../../../src/ops/duplicates/dedupe.ts';
import { listDuplicates } from '../../../src/ops/duplicates/duplicates.ts';
import { runCli } from '../../support/cli.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { migrate } from '../../support/migrations.ts';
import { hasPgbouncer, startPgbouncer } from '../../support/pgbouncer.ts';
import { serverVersions } from '../../support/server.ts';
import { hasTapes, insertParents, loadTape, needsTapes } from '../../support/tape.ts';

/** Every row of both tables, and how many ids there are: equal if each row is in exactly one of them. */
async function countAll(db: TestDatabase): Promise<{ rows: number; ids: number; duplicateGroups: number }> {
  const [row] = await db.sql<{ rows: number; ids: number; duplicateGroups: number }[]>`
    select count(*)::int as rows, count(distinct id)::int as ids,
           (select count(*)::int from (select from fills group by symbol, timestamp, price, size, execid having count(*) > 1) as g)
             as "duplicateGroups"
    from (select id from fills union all select id from multi_pair_db.archived_fills) as a`;
  if (row === undefined) throw new Error('a count without a row');
  return row;
}

test.skipIf(!hasTapes)(
  `the real redelivered fills, loaded raw, are cleared, and then 0002 applies${needsTapes}`,
  async () => {
    await using db = await createDatabase(18, 'legacy');
    const tape = await loadTape('redelivered-fills');
    await db.sql.unsafe('alter table sessions add column pairs jsonb');
    await insertParents(db.sql, tape);
    await db.sql.unsafe('alter table sessions drop column pairs');
    await db.sql`
      insert into fills (id, sessionid, orderid, symbol, side, price, size, execid, timestamp)
      select id, "sessionId", "orderId", symbol, side, price, size, "tradeId", "timestamp"
      from jsonb_to_recordset(${db.sql.json(JSON.parse(JSON.stringify(tape)))}) as t (
        id text, "sessionId" text, "orderId" text, symbol text, side text, price real, size real, "tradeId" text, "timestamp" bigint)`;
    await expect(migrate(db.url)).rejects.toThrow();

    const found = await runCli(['duplicates', '--json', '--samples', '1000', '--url', db.url]);
    expect(found).toMatchObject({ exitCode: 1, stderr: '' });
    expect(JSON.parse(found.stdout).result).toMatchObject({
      surplusRows: 6036,
      surplusRowsWithVenueId: 6030,
      surplusRowsWithoutVenueId: 6,
    });
    // The tape's own id is in every key: no row is called the same as one with another id.
    const venueIds = new Map(tape.map(({ id, tradeId }) => [id, tradeId ?? '']));
    for (const group of JSON.parse(found.stdout).result.samples) {
      for (const id of [group.keptId, ...group.surplusIds]) expect(venueIds.get(id)).toBe(group.venueId);
    }

    const moved = await runCli(['dedupe', '--json', '--url', db.url]);
    expect(JSON.parse(moved.stdout)).toMatchObject({
      exitCode: 1,
      result: { movedRows: 6030, remainingRows: 6, remainingRowsWithoutVenueId: 6, archivedRows: 6030 },
    });
    const rest = await runCli(['dedupe', '--without-venue-id', '--json', '--url', db.url]);
    expect(JSON.parse(rest.stdout)).toMatchObject({
      exitCode: 0,
      result: { movedRows: 6, remainingRows: 0, archivedRows: 6036 },
    });
    expect(await countAll(db)).toEqual({ rows: 23_313, ids: 23_313, duplicateGroups: 0 });
    await migrate(db.url);
    const [index] = await db.sql`
      select indisvalid from pg_index where indexrelid = 'idx_fills_unique_dedup'::regclass`;
    expect(index).toEqual({ indisvalid: true });
    // The archive beside the three tables is nobody’s fault.
    expect(await runCli(['verify', '--url', db.url])).toMatchObject({ exitCode: 0 });
    expect(await runCli(['dedupe', '--undo', '--url', db.url])).toMatchObject({ exitCode: 0 });
    expect(await countAll(db)).toMatchObject({ rows: 23_313, ids: 23_313 });
  },
);

test.each(serverVersions)(
  'PostgreSQL %i: passes over rows that others hold, and says so',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into fills (id, symbol, timestamp, price, size, tradeid)
    select id, 'BTC/USD', 1, 1, 1, 1 from unnest(array['a', 'b', 'c']) as id`;
    const other = db.connect({ max: 1 });
    await other.unsafe(`begin; update fills set fee = 1 where id = 'b'`);
    const busy = await runCli(['dedupe', '--url', db.url]);
    expect(busy).toMatchObject({ exitCode: 1 });
    expect(busy.stdout).toContain('1 surplus row is left: other sessions hold them');
    await other.unsafe('commit');
    await using connection = await openConnection(db.url);
    expect(await dedupeFills(connection)).toMatchObject({ movedRows: 1, remainingRows: 0, archivedRows: 2 });
    const [kept] = await db.sql`select array_agg(id) as ids from fills`;
    expect(kept).toEqual({ ids: ['a'] });
  },
);

test.each(serverVersions)(
  'PostgreSQL %i: services insert copies meanwhile, two runs work at once',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    const store = (prefix: string, count: number) => db.sql`
    insert into fills (id, symbol, timestamp, price, size, execid)
    select ${prefix}::text || n, 'BTC/USD', n % 200, 1, 1, n % 7 from generate_series(1, ${count}::int) as n`;
    await store('seed', 2_000);
    let inserted = 2_000;
    const runs = [1, 2].map(async () => {
      await using connection = await openConnection(db.url);
      return await dedupeFills(connection, { batchRows: 100 });
    });
    for (let batch = 0; batch < 20; batch++) {
      await store(`live${batch}-`, 100);
      inserted += 100;
    }
    await Promise.all(runs);
    await using connection = await openConnection(db.url);
    await dedupeFills(connection);
    expect(await countAll(db)).toEqual({ rows: inserted, ids: inserted, duplicateGroups: 0 });
    expect(await listDuplicates(connection)).toMatchObject({ surplusRows: 0 });
  },
);

test('a dry run writes nothing', async () => {
  await using db = await createDatabase(18, 'legacy');
  await db.sql`insert into fills (id, symbol, timestamp, price, size)
    select n::text, 'BTC/USD', 1, 1, 1 from generate_series(1, 50) as n`;
  const dry = await runCli(['dedupe', '--dry-run', '--json', '--url', db.url]);
  expect(JSON.parse(dry.stdout)).toMatchObject({ exitCode: 1, result: { dryRun: true, surplusRows: 49 } });
  const [none] = await db.sql`select to_regclass('multi_pair_db.archived_fills') as archive`;
  expect(none).toEqual({ archive: null });
});

test('a role’s time limit does not end it, and is put back', async () => {
  await using db = await createDatabase(15, 'legacy');
  await db.sql.unsafe(`
    insert into fills (id, symbol, timestamp, price, size, tradeid) select id, 'x', 1, 1, 1, 1 from unnest(array['a', 'b']) as id;
    create function dawdle() returns trigger language plpgsql as 'begin perform pg_sleep(1.2); return null; end';
    create trigger dawdle before delete on fills for each statement execute function dawdle();
    alter database ${db.name} set statement_timeout = '1s'`);
  await using connection = await openConnection(db.url);
  expect(await dedupeFills(connection)).toMatchObject({ movedRows: 1, remainingRows: 0 });
  expect(await connection.query('show statement_timeout')).toEqual([{ statement_timeout: '1s' }]);
});

test.skipIf(!hasPgbouncer)('refuses a transaction-mode pooler (needs pgbouncer on PATH)', async () => {
  await using db = await createDatabase(15, 'legacy');
  await using pooler = await startPgbouncer(inject('serverPorts')[15], 'transaction');
  await using connection = await openConnection(pooler.url(db.name));
  await expect(dedupeFills(connection)).rejects.toMatchObject({ code: 'POOLED' });
  await expect(listDuplicates(connection)).rejects.toMatchObject({ code: 'POOLED' });
});

test('errors are clear: no server, no table, no privilege, wrong usage', async () => {
  await using db = await createDatabase(15, 'empty');
  expect(await runCli(['duplicates', '--url', 'postgres://u:geheim@127.0.0.1:1/x'])).toMatchObject({
    exitCode: 3,
    stderr: expect.not.stringContaining('geheim'),
  });
  expect(await runCli(['duplicates', '--url', db.url])).toMatchObject({ exitCode: 5 });
  expect(await runCli(['dedupe', '--url', db.url])).toMatchObject({ exitCode: 5 });
  expect(await runCli(['dedupe', '--undo', '--dry-run', '--url', db.url])).toMatchObject({ exitCode: 2 });
  expect(await runCli(['duplicates', '--samples', 'x', '--url', db.url])).toMatchObject({ exitCode: 2 });

  await using live = await createDatabase(15, 'legacy');
  await live.sql.unsafe(`create role reader_${live.name} login`);
  const asReader = live.url.replace('postgres@', `reader_${live.name}@`);
  expect(await runCli(['duplicates', '--url', asReader])).toMatchObject({ exitCode: 3 });
  expect(await runCli(['dedupe', '--url', asReader])).toMatchObject({ exitCode: 3 });
  await live.sql.unsafe(`drop role reader_${live.name}`);
});
