import { expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { listIndexes } from '../../../src/ops/indexes/indexes.ts';
import { maintainTables } from '../../../src/ops/indexes/maintain.ts';
import { runCli, startCli } from '../../support/cli.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

const fileNode = async (db: TestDatabase, name: string): Promise<unknown> =>
  (await db.sql`select pg_relation_filenode(to_regclass(${name}))::int as node`)[0]?.['node'];

test.each(serverVersions)('PostgreSQL %i: analyzes, vacuums and reindexes', async (version) => {
  await using db = await createDatabase(version, 'migrated');
  await db.sql`insert into fills (id, symbol, price) select n::text, 'BTC/USD', n from generate_series(1, 5000) as n`;
  const analyzed = await runCli(['maintain', 'analyze', '--json', '--url', db.url]);
  expect(JSON.parse(analyzed.stdout).result.steps.map((step: { name: string }) => step.name)).toEqual([
    'sessions',
    'orders',
    'fills',
  ]);
  const [stats] =
    await db.sql`select count(*)::int as columns from pg_stats where tablename = 'fills' and attname = 'price'`;
  expect(stats).toEqual({ columns: 1 });

  expect(await runCli(['maintain', 'vacuum', 'fills', '--url', db.url])).toMatchObject({ exitCode: 0 });
  await using connection = await openConnection(db.url);
  await until(async () => {
    const { indexes } = await listIndexes(connection);
    return indexes.some(({ table, tableFacts }) => table === 'fills' && tableFacts.vacuumedMs !== null);
  }, 'the vacuum is counted');

  const before = await fileNode(db, 'idx_fills_symbol');
  const other = await fileNode(db, 'idx_fills_timestamp');
  expect(await runCli(['maintain', 'reindex', 'idx_fills_symbol', '--url', db.url])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('idx_fills_symbol'),
  });
  expect(await fileNode(db, 'idx_fills_symbol')).not.toBe(before);
  expect(await fileNode(db, 'idx_fills_timestamp')).toBe(other);
});

test.each(serverVersions)(
  'PostgreSQL %i: an interrupted rebuild leaves nothing, a killed one is cleaned up',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    const writer = db.connect({ max: 1 });
    const waiting = async (): Promise<boolean> => {
      const [row] = await db.sql`select count(*)::int as waiting from pg_stat_progress_create_index
      where phase like 'waiting%' and datname = current_database()`;
      return row?.['waiting'] === 1;
    };
    const invalid = async (): Promise<unknown> =>
      (await db.sql`select count(*)::int as invalid from pg_index where not indisvalid`)[0];
    const rebuild = ['maintain', 'reindex', 'idx_fills_symbol', '--url', db.url];

    await writer.unsafe(`begin; insert into fills (id) values ('open')`);
    const interrupted = startCli(rebuild);
    await until(waiting, 'the rebuild waits for the writer');
    interrupted.child.kill('SIGINT');
    await until(async () => !(await waiting()), 'the server has stopped');
    await writer.unsafe('commit');
    expect(await interrupted.ended).toMatchObject({ exitCode: 5 });
    expect(await invalid()).toEqual({ invalid: 0 });

    await writer.unsafe(`begin; insert into fills (id) values ('open again')`);
    const killed = startCli(rebuild);
    await until(waiting, 'the rebuild waits for the writer');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await until(async () => !(await waiting()), 'the server has noticed');
    await writer.unsafe('commit');
    expect(await invalid()).toEqual({ invalid: 1 });
    const healed = await runCli(['maintain', 'reindex', 'idx_fills_timestamp', '--json', '--url', db.url]);
    expect(JSON.parse(healed.stdout)).toMatchObject({
      exitCode: 0,
      result: { droppedLeftovers: ['idx_fills_symbol_ccnew'] },
    });
    expect(await invalid()).toEqual({ invalid: 0 });
  },
);

test('rebuilds an INVALID unique index once its duplicates are gone, and says why it can’t before', async () => {
  await using db = await createDatabase(15, 'legacy');
  await db.sql`insert into fills (id, symbol) values ('a', 'x'), ('b', 'x')`;
  await expect(db.sql.unsafe('create unique index concurrently mine on fills (symbol)')).rejects.toThrow();
  const failed = await runCli(['maintain', 'reindex', 'mine', '--json', '--url', db.url]);
  expect(JSON.parse(failed.stdout)).toMatchObject({ exitCode: 5, error: { sqlState: '23505' } });
  const [leftovers] = await db.sql`select count(*)::int as rows from pg_class where relname like '%ccnew%'`;
  expect(leftovers).toEqual({ rows: 0 });
  await db.sql`delete from fills where id = 'b'`;
  expect(await runCli(['maintain', 'reindex', 'mine', '--url', db.url])).toMatchObject({ exitCode: 0 });
  const [index] = await db.sql`select indisvalid from pg_index where indexrelid = 'mine'::regclass`;
  expect(index).toEqual({ indisvalid: true });
});

test('a role’s time limit does not end a rebuild, and is put back', async () => {
  await using db = await createDatabase(18, 'legacy');
  await db.sql.unsafe(`
    insert into fills (id) select n::text from generate_series(1, 4) as n;
    create function dawdle(text) returns text language sql immutable as 'select $1 from pg_sleep(0.3)';
    create index dawdling on fills (dawdle(id));
    alter database ${db.name} set statement_timeout = '1s'`);
  await using connection = await openConnection(db.url);
  const { steps } = await maintainTables(connection, 'reindex', { name: 'dawdling' });
  expect(steps.map(({ name }) => name)).toEqual(['dawdling']);
  expect(await connection.query('show statement_timeout')).toEqual([{ statement_timeout: '1s' }]);
});

test('refuses what is not of the three tables, and wrong usage', async () => {
  await using db = await createDatabase(15, 'legacy');
  await db.sql`create table accounts (id text primary key)`;
  await using connection = await openConnection(db.url);
  for (const [action, name] of [
    ['reindex', 'accounts_pkey'],
    ['reindex', 'idx"; drop table fills; --'],
    ['vacuum', 'accounts'],
    ['analyze', 'pg_class'],
  ] as const) {
    await expect(maintainTables(connection, action, { name })).rejects.toMatchObject({ code: 'USAGE' });
  }
  expect(await runCli(['maintain', 'shrink', '--url', db.url])).toMatchObject({ exitCode: 2 });
  expect(await runCli(['maintain', '--url', db.url])).toMatchObject({ exitCode: 2 });
});
