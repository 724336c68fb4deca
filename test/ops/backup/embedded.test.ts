import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { backupDatabase } from '../../../src/ops/backup/backup.ts';
import { findFreshBackup } from '../../../src/ops/backup/fresh-backup.ts';
import { restoreBackup } from '../../../src/ops/backup/restore.ts';
import { ensureFillArchive } from '../../../src/ops/duplicates/archive.ts';
import { listIndexes } from '../../../src/ops/indexes/indexes.ts';
import { maintainTables } from '../../../src/ops/indexes/maintain.ts';
import { applyMigrations, readPause } from '../../../src/own/index.ts';
import { runCommand } from '../../support/command.ts';
import { forEachTag, indexNames } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { createPglite } from '../../support/pglite.ts';

let home: string;
let directory: string;
let url: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-embedded-'));
  directory = path.join(home, 'trading');
  url = `pglite:${directory}`;
  const live = await createPglite('migrated', directory);
  await live.exec(`
    insert into sessions (id, symbol) select 's' || n, 'BTC/USD' from generate_series(1, 100) as n;
    insert into fills (id, sessionid, price) select 'f' || n, 's' || n, n / 3.0 from generate_series(1, 100) as n;
    insert into multi_pair_db.pause (paused_by) values ('alice@ops')`);
  await live.close();
});
afterAll(() => rm(home, { recursive: true, force: true }));

const checksum = async (target: string): Promise<unknown> => {
  await using connection = await openConnection(target);
  return connection.query(
    `select (select md5(string_agg(t::text, '|' order by id)) from sessions as t) as sessions,
            (select md5(string_agg(t::text, '|' order by id)) from fills as t) as fills`,
  );
};

test('back up, damage, restore: every row is what it was, and what was there is kept', async () => {
  const before = await checksum(url);
  const folder = path.join(home, 'backups');
  const { path: file, record } = await backupDatabase(url, { folder });
  expect(record).toMatchObject({ kind: 'embedded', rows: { 'public.sessions': 100, 'public.fills': 100 } });
  const modes = await Promise.all(
    [folder, file, `${file}.json`].map(async (name) => (await stat(name)).mode),
  );
  expect(modes.map((mode) => mode & 0o77)).toEqual([0, 0, 0]);
  {
    await using connection = await openConnection(url);
    expect(await findFreshBackup(connection, { folder, maxAgeMs: 60_000 })).toMatchObject({ path: file });
    await connection.execute("delete from fills where id like 'f1%'; update sessions set symbol = 'damaged'");
  }
  const damaged = await checksum(url);

  await expect(restoreBackup(file, url, { into: url })).rejects.toMatchObject({ code: 'REFUSED' });
  const report = await restoreBackup(file, url, { into: url, confirm: 'trading' });
  // PGlite's dump is of the whole database; a pause is no part of a backup all the same.
  expect(report).toMatchObject({
    complete: true,
    differences: [],
    droppedPause: { by: 'alice@ops', reason: undefined },
  });
  {
    await using connection = await openConnection(url);
    expect(await readPause(connection)).toBeUndefined();
  }
  expect(await checksum(url)).toEqual(before);
  expect(await checksum(`pglite:${report.movedAside}`)).toEqual(damaged);

  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, bytes.length - 1));
  await expect(restoreBackup(file, url, { into: `pglite:${home}/new` })).rejects.toMatchObject({
    code: 'REFUSED',
  });
  expect(await readdir(home)).not.toContain('new');
});

test('a backup from before the migration, over the migrated database: before the migration, and what was there is kept whole', async () => {
  const legacy = path.join(home, 'legacy');
  const target = `pglite:${legacy}`;
  const live = await createPglite('empty', legacy);
  await live.exec(await readLegacySchema());
  await live.exec("insert into sessions (id, symbol) values ('s1', 'BTC/USD')");
  await live.close();
  const before = await checksum(target);
  const { path: file, record } = await backupDatabase(target, { folder: path.join(home, 'before') });
  expect(record.state).toMatchObject({ schema: 'public', applied: [] });
  {
    await using connection = await openConnection(target);
    await applyMigrations(connection);
    await ensureFillArchive(connection);
  }
  const done = await runCommand(['restore', file, '--confirm', 'legacy', '--url', target]);
  expect(done, done.text).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining('verified: as before the migration'),
    result: { complete: true, objects: { missing: [], surplus: [] } },
  });
  expect(await checksum(target)).toEqual(before);
  const status = await runCommand(['status', '--url', target]);
  expect(Reflect.get(status.result, 'migrations')).toMatchObject(forEachTag({ state: 'pending' }));
  // Its archive is where all of it is.
  await using aside = await openConnection(`pglite:${Reflect.get(done.result, 'movedAside')}`);
  expect(await aside.query('select * from multi_pair_db.archived_fills')).toEqual([]);
});

test('a dump that can’t be loaded, or an interrupt, leaves the database where it is', async () => {
  const { path: file } = await backupDatabase(url, { folder: path.join(home, 'damaged') });
  const before = await checksum(url);
  const names = (await readdir(home)).sort();
  const interrupt = AbortSignal.abort();
  await expect(restoreBackup(file, url, { confirm: 'trading', signal: interrupt })).rejects.toMatchObject({
    code: 'INTERRUPTED',
    exitCode: 5,
  });
  const record = JSON.parse(await readFile(`${file}.json`, 'utf8'));
  const bytes = Buffer.from('no dump at all');
  await writeFile(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeFile(`${file}.json`, JSON.stringify({ ...record, sha256, sizeBytes: bytes.length }));
  await expect(restoreBackup(file, url, { confirm: 'trading' })).rejects.toMatchObject({
    code: 'FILE_INVALID',
  });
  expect((await readdir(home)).sort()).toEqual(names);
  expect(await checksum(url)).toEqual(before);
});

test('refuses --tables, a missing directory, and a server’s URL as its target', async () => {
  const folder = path.join(home, 'others');
  await expect(backupDatabase(url, { folder, scope: 'tables' })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(backupDatabase(`pglite:${home}/none`, { folder })).rejects.toMatchObject({
    code: 'DATABASE_MISSING',
  });
  const { path: file } = await backupDatabase(url, { folder });
  await expect(restoreBackup(file, 'postgres://127.0.0.1:1/x', { into: 'x' })).rejects.toMatchObject({
    code: 'FILE_INVALID',
  });
});

test('lists and maintains indexes of an embedded database', async () => {
  await using connection = await openConnection(url);
  expect((await listIndexes(connection)).indexes.map(({ index }) => index).toSorted()).toEqual(
    indexNames.toSorted(),
  );
  for (const action of ['analyze', 'vacuum'] as const) {
    expect((await maintainTables(connection, action)).steps).toHaveLength(3);
  }
  expect((await maintainTables(connection, 'reindex', { name: 'idx_fills_symbol' })).steps).toHaveLength(1);
});
