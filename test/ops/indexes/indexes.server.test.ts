import { expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { type IndexOverview, type IndexReport, listIndexes } from '../../../src/ops/indexes/indexes.ts';
import { runCli } from '../../support/cli.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { indexNames } from '../../support/facts.ts';
import { rollBackDatabaseDownTo, rollBackDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

function find({ indexes }: IndexOverview, name: string): IndexReport {
  const report = indexes.find(({ index }) => index === name);
  if (report === undefined) throw new Error(`${name} is not listed`);
  return report;
}
async function listNames(db: TestDatabase): Promise<string[]> {
  await using connection = await openConnection(db.url);
  return (await listIndexes(connection)).indexes.map(({ index }) => index).toSorted();
}
const kinds = (overview: IndexOverview, name: string): string[] =>
  find(overview, name).findings.map(({ kind }) => kind);

test.each(serverVersions)(
  'PostgreSQL %i: names the four live indexes that the composites make redundant, and no other',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await using connection = await openConnection(db.url);
    const overview = await listIndexes(connection);
    expect(overview.indexes.map(({ index }) => index).toSorted()).toEqual(indexNames.toSorted());
    // Those of the historic files among themselves, whatever later ones have built.
    await rollBackDownTo(connection, '002');
    const historic = await listIndexes(connection);
    const redundant = historic.indexes
      .filter(({ findings }) => findings.some(({ kind }) => kind === 'redundant'))
      .map(({ index, findings }) => [index, [...(findings[0]?.coveredBy ?? [])].sort()]);
    expect(Object.fromEntries(redundant)).toEqual({
      idx_fills_sessionid: [
        'idx_fills_composite',
        'idx_fills_session_order_symbol',
        'idx_fills_session_symbol',
      ],
      idx_fills_symbol: ['idx_fills_symbol_timestamp'],
      idx_orders_sessionid: ['idx_orders_composite', 'idx_orders_session_symbol'],
      idx_orders_symbol: ['idx_orders_symbol_status'],
    });
    expect(find(overview, 'idx_orders_symbol').findings[0]?.advice).toContain('take it out of the schema');
    expect((await runCli(['indexes', '--url', db.url])).exitCode).toBe(0);
  },
);

test('a build counts in its own database alone: copies of one database share the oids of their indexes', async () => {
  await using db = await createDatabase(18, 'migrated');
  await using twin = await createDatabase(18, 'migrated');
  const writer = db.connect({ max: 1 });
  await writer.unsafe(`begin; insert into fills (id) values ('open')`);
  const rebuild = db.connect({ max: 1 }).unsafe('reindex index concurrently idx_fills_symbol').execute();
  await using connection = await openConnection(db.url);
  await until(
    async () => find(await listIndexes(connection), 'idx_fills_symbol').building,
    'the rebuild waits for the writer',
  );

  await using other = await openConnection(twin.url);
  expect(find(await listIndexes(other), 'idx_fills_symbol').building).toBe(false);
  await writer.unsafe('commit');
  await rebuild;
});

test('a build that another role’s session hides counts, too', async () => {
  await using db = await createDatabase(18, 'migrated');
  const role = `stranger_${db.name}`;
  await db.sql.unsafe(`create role ${role} login`);
  try {
    const writer = db.connect({ max: 1 });
    await writer.unsafe(`begin; insert into fills (id) values ('open')`);
    const builder = db.connect({ max: 1 });
    const build = builder.unsafe('create index concurrently planted on fills (side)').execute();
    await using connection = await openConnection(db.url.replace('postgres@', `${role}@`));
    await until(
      async () =>
        (await listIndexes(connection)).indexes.some(
          ({ index, building }) => index === 'planted' && building,
        ),
      'the build is seen',
    );
    expect(kinds(await listIndexes(connection), 'planted')).toEqual([]);
    expect(find(await listIndexes(connection), 'idx_fills_symbol').building).toBe(false);
    await writer.unsafe('commit');
    await build;
    expect(find(await listIndexes(connection), 'planted')).toMatchObject({ building: false, valid: true });
  } finally {
    await db.sql.unsafe(`drop role ${role}`);
  }
});

test.each(serverVersions)('PostgreSQL %i: finds what is planted', async (version) => {
  await using db = await createDatabase(version, 'migrated');
  // Among the indexes of the historic files: a later one may begin with a column that is planted.
  await rollBackDatabaseDownTo(db.url, '002');
  await db.sql`insert into sessions (id, symbol, budget, strategy) select n::text, 'BTC/USD', n, 's' || n from generate_series(1, 20000) as n`;
  await db.sql`insert into fills (id, symbol) values ('a', 'x'), ('b', 'x')`;
  const historic = await listNames(db);
  await db.sql.unsafe(`
    create index planted_twin on sessions (symbol);
    create index planted_prefix on sessions (settledcomplete);
    create index planted_partial on sessions (symbol) where settledcomplete;
    create index planted_order on sessions (symbol desc);
    create index planted_unused on sessions (strategytype);
    create index planted_used on sessions (budget);
    create unique index planted_unique on sessions (strategy);`);
  await expect(
    db.sql.unsafe('create unique index concurrently planted_invalid on fills (symbol)'),
  ).rejects.toThrow();
  await expect(
    db.sql.unsafe('create unique index concurrently planted_ccnew on fills (symbol)'),
  ).rejects.toThrow();
  await db.sql.unsafe('vacuum analyze sessions');
  const reader = db.connect({ max: 1 });
  await reader`set enable_seqscan = off`;
  await reader`select from sessions where budget = 7`;
  await reader.end();

  await using connection = await openConnection(db.url);
  await until(
    async () => find(await listIndexes(connection), 'planted_used').scans > 0,
    'the scan is counted',
  );
  const overview = await listIndexes(connection);
  expect(overview.indexes.slice(0, 2).map(({ index, findings }) => [index, findings[0]?.kind])).toEqual([
    ['planted_invalid', 'invalid'],
    ['planted_ccnew', 'leftover'],
  ]);
  expect(kinds(overview, 'planted_twin')).toContain('redundant');
  expect(kinds(overview, 'planted_prefix')).toContain('redundant');
  expect(kinds(overview, 'idx_sessions_symbol')).not.toContain('redundant');
  expect(kinds(overview, 'planted_partial')).not.toContain('redundant');
  expect(kinds(overview, 'planted_order')).not.toContain('redundant');
  expect(kinds(overview, 'planted_unused')).toEqual(['unused']);
  expect(kinds(overview, 'planted_used')).toEqual([]);
  expect(kinds(overview, 'planted_unique')).toEqual([]);
  expect(find(overview, 'planted_used')).toMatchObject({
    table: 'sessions',
    tableFacts: { vacuumedMs: expect.any(Number), analyzedMs: expect.any(Number) },
    lastScanMs: version >= 16 ? expect.any(Number) : null,
  });

  const asJson = await runCli(['indexes', '--json', '--url', db.url]);
  expect(asJson).toMatchObject({ exitCode: 1, stderr: '' });
  const listed: { index: string }[] = JSON.parse(asJson.stdout).result.indexes;
  const planted = listed.filter(({ index }) => index.startsWith('planted_'));
  expect(planted).toHaveLength(9);
  expect(
    listed
      .filter((one) => !planted.includes(one))
      .map(({ index }) => index)
      .toSorted(),
  ).toEqual(historic);
  expect((await runCli(['indexes', '--url', db.url])).stdout).toContain(
    'multi-pair-db maintain reindex planted_invalid',
  );

  await db.sql`create index idx_orders_symbol_status__broken on orders (symbol, status)`;
  expect(kinds(await listIndexes(connection), 'idx_orders_symbol_status__broken')).toEqual(['leftover']);
});

test('the bloat estimate agrees with what a rebuild wins, within a tenth of the index', async () => {
  await using db = await createDatabase(18, 'migrated');
  await db.sql`insert into sessions (id, budget) select md5(n::text), n from generate_series(1, 30000) as n`;
  await db.sql`delete from sessions where budget::int % 10 <> 0`;
  await db.sql.unsafe('vacuum analyze sessions');
  await using connection = await openConnection(db.url);
  const before = find(await listIndexes(connection), 'sessions_pkey');
  await db.sql.unsafe('reindex index concurrently sessions_pkey');
  const after = find(await listIndexes(connection), 'sessions_pkey');
  expect(Math.abs((before.bloat ?? 0) - (1 - after.sizeBytes / before.sizeBytes))).toBeLessThan(0.1);
  expect(after.bloat ?? 1).toBeLessThan(0.1);
});

test('refuses a database that has none of the tables', async () => {
  await using db = await createDatabase(15, 'empty');
  expect(await runCli(['indexes', '--url', db.url])).toMatchObject({ exitCode: 4 });
});
