import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { readMigrationFiles } from '../../../src/migrate/history/folder.ts';
import { nameFolder } from '../../../src/migrate/history/folder-name.ts';
import { applyMigrations, readStatus, rollbackMigration } from '../../../src/own/index.ts';
import { migrateV1 } from '../../drizzle-1/migrate.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createFolder, type TestFolder } from '../../support/folder.ts';
import { serverVersions } from '../../support/server.ts';

const sql = {
  '0000_things': 'create table things (id integer primary key);',
  '0001_rows': 'insert into things values (1), (2);',
  '0002_more': 'insert into things values (3);',
};
const tags = Object.keys(sql);
/** With milliseconds, as drizzle-kit 0.31 stamps files. */
const stamps = [1_700_000_000_164, 1_700_000_001_582, 1_700_000_002_999];

/** The folder of somebody else, cut after a file, in both layouts; each file has an undo. */
async function createBoth(count: number): Promise<TestFolder & { readonly v1: string }> {
  const folder = await createFolder({});
  await folder.write(Object.fromEntries(Object.entries(sql).slice(0, count)), stamps.slice(0, count));
  await mkdir(path.join(folder.folder, 'down'));
  await writeFile(path.join(folder.folder, 'down', '0002_more.sql'), 'delete from things where id = 3;');
  const v1 = `${folder.folder}-v1`;
  for (const file of await readMigrationFiles(folder.folder)) {
    await mkdir(path.join(v1, nameFolder(file)), { recursive: true });
    await cp(path.join(folder.folder, `${file.tag}.sql`), path.join(v1, nameFolder(file), 'migration.sql'));
  }
  return { ...folder, v1 };
}

async function engine(db: TestDatabase, { folder }: { readonly folder: string }): Promise<readonly string[]> {
  await using connection = await openConnection(db.url);
  const { applied } = await applyMigrations(connection, { project: { folder } });
  expect((await readStatus(connection, { project: { folder } })).faults).toEqual([]);
  return applied.map(({ tag }) => tag);
}

async function kit(db: TestDatabase, { folder }: { readonly folder: string }): Promise<void> {
  const client = db.connect({ max: 1 });
  await migrate(drizzle(client), { migrationsFolder: folder });
  await client.end();
}

const kitV1 = (db: TestDatabase, { v1 }: { readonly v1: string }): Promise<void> =>
  migrateV1(db.url, { migrationsFolder: v1 });

const listJournal = (db: TestDatabase) =>
  db.sql`select *, created_at::float8 as created_at from drizzle.__drizzle_migrations order by id`;

describe.each(serverVersions)('PostgreSQL %i: a folder of somebody else', (version) => {
  test('begun by drizzle-kit 1.0, whose stamps are cut, and continued by the engine', async () => {
    await using db = await createDatabase(version, 'empty');
    await using one = await createBoth(1);
    await using all = await createBoth(3);
    await kitV1(db, one);
    expect(await listJournal(db)).toMatchObject([{ created_at: 1_700_000_000_000 }]);
    expect(await engine(db, all)).toEqual(tags.slice(1));
    const journal = await listJournal(db);
    expect(journal).toMatchObject([
      { name: '20231114221320_things' },
      { name: '20231114221321_rows', created_at: stamps[1] },
      { name: '20231114221322_more', created_at: stamps[2] },
    ]);
    await kitV1(db, all);
    await kit(db, all);
    expect(await listJournal(db)).toEqual(journal);
  });

  test('by 0.31 after 1.0: the engine names what 1.0 would run again, and undoes what 1.0 has recorded', async () => {
    await using db = await createDatabase(version, 'empty');
    await using one = await createBoth(1);
    await using two = await createBoth(2);
    await using all = await createBoth(3);
    await kit(db, one);
    expect(await engine(db, one)).toEqual([]);
    await kitV1(db, one);
    await kit(db, two);
    expect(await listJournal(db)).toMatchObject([{ name: '20231114221320_things' }, { name: null }]);
    expect(await engine(db, two)).toEqual([]);
    expect(await listJournal(db)).toMatchObject([{ created_at: stamps[0] }, { name: '20231114221321_rows' }]);

    await kitV1(db, all);
    expect(await engine(db, all)).toEqual([]);
    const project = { folder: all.folder };
    await using connection = await openConnection(db.url);
    expect(await rollbackMigration(connection, '0002', { project })).toMatchObject({ undone: true });
    expect(await listJournal(db)).toHaveLength(2);
    expect(await engine(db, all)).toEqual(['0002_more']);
    await kitV1(db, all);
    expect(await db.sql`select id from things order by id`).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });
});
