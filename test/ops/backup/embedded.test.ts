import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { backupDatabase } from '../../../src/ops/backup/backup.ts';
import { findFreshBackup } from '../../../src/ops/backup/fresh-backup.ts';
import { restoreBackup } from '../../../src/ops/backup/restore.ts';
import { listIndexes } from '../../../src/ops/indexes/indexes.ts';
import { maintainTables } from '../../../src/ops/indexes/maintain.ts';
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
    insert into fills (id, sessionid, price) select 'f' || n, 's' || n, n / 3.0 from generate_series(1, 100) as n;`);
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
  expect(report).toMatchObject({ complete: true, differences: [] });
  expect(await checksum(url)).toEqual(before);
  expect(await checksum(`pglite:${report.movedAside}`)).toEqual(damaged);

  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, bytes.length - 1));
  await expect(restoreBackup(file, url, { into: `pglite:${home}/new` })).rejects.toMatchObject({
    code: 'REFUSED',
  });
  expect(await readdir(home)).not.toContain('new');
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
  expect((await listIndexes(connection)).indexes).toHaveLength(32);
  for (const action of ['analyze', 'vacuum'] as const) {
    expect((await maintainTables(connection, action)).steps).toHaveLength(3);
  }
  expect((await maintainTables(connection, 'reindex', { name: 'idx_fills_symbol' })).steps).toHaveLength(1);
});
