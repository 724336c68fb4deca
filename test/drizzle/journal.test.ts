import { cp } from 'node:fs/promises';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findDownFile } from '../../src/migrate/history/down.ts';
import { nameFolder } from '../../src/migrate/history/folder-name.ts';
import {
  migrationsFolder,
  migrationsFolderV1,
  migrationsSchema,
  migrationsTable,
} from '../../src/own/migrations.ts';
import { migratePgliteV1 } from '../drizzle-1/migrate.ts';
import { lastTag, migrationFiles, migrationOf, nextTag } from '../support/facts.ts';
import { createFolder } from '../support/folder.ts';
import { migratePglite } from '../support/migrations.ts';
import { createPglite } from '../support/pglite.ts';

let client: PGlite;
beforeAll(async () => {
  client = await createPglite('empty');
});
afterAll(() => client.close());

const last = migrationOf(lastTag);
const listJournal = async () =>
  (await client.query('select * from multi_pair_db.migrations order by created_at')).rows;
const migrateV1 = () =>
  migratePgliteV1(client, { migrationsFolder: migrationsFolderV1, migrationsSchema, migrationsTable });
const insert = (columns: Readonly<Record<string, string | number>>) =>
  client.query(
    `insert into multi_pair_db.migrations (${Object.keys(columns).join(', ')})
     values (${Object.keys(columns)
       .map((_, at) => `$${at + 1}`)
       .join(', ')}) returning id`,
    Object.values(columns),
  );

test('embedded: what 0.31 applies is applied to 1.0, and the other way round', async () => {
  await migratePglite(client);
  const journal = await listJournal();
  expect(journal).toMatchObject(migrationFiles.map((file) => ({ hash: file.hash, name: nameFolder(file) })));
  await migrateV1();
  expect(await listJournal()).toEqual(journal);

  const down = await findDownFile(migrationsFolder, last);
  for (const { sql } of down?.statements ?? []) await client.exec(sql);
  expect(await listJournal()).toEqual(journal.slice(0, -1));
  await migrateV1();
  const again = await listJournal();
  expect(again).toMatchObject(
    journal.map((row) => ({ ...Object(row), id: expect.any(Number), applied_at: expect.any(Date) })),
  );
  await migratePglite(client);
  expect(await listJournal()).toEqual(again);
});

test('a second row of a file is left out, and refused where it is of another content', async () => {
  const journal = await listJournal();
  expect((await insert({ hash: last.hash, created_at: last.createdAtMs })).rows).toEqual([]);
  // As drizzle-kit 1.0 would write it of a stamp with milliseconds.
  expect((await insert({ hash: last.hash, created_at: last.createdAtMs + 164, name: 'other' })).rows).toEqual(
    [],
  );
  await expect(insert({ hash: 'f00', created_at: last.createdAtMs })).rejects.toThrow(
    `the migration stamped ${last.createdAtMs} is recorded with another content; nothing was recorded`,
  );
  expect(await listJournal()).toEqual(journal);
});

test('a row without a name is refused, also of a file that stands outside the frame behind one that does not', async () => {
  const journal = await listJournal();
  await expect(insert({ hash: 'f00', created_at: last.createdAtMs + 1000 })).rejects.toThrow(
    `the journal row of f00, stamped ${last.createdAtMs + 1000}, has no name`,
  );

  await using fresh = await createPglite('empty');
  await using folder = await createFolder({});
  const plain = nextTag('plain');
  await folder.write(
    Object.fromEntries([
      ...migrationFiles.map(({ tag }) => [tag, '']),
      [plain, 'create table plain (id integer);'],
    ]),
    [...migrationFiles.map(({ createdAtMs }) => createdAtMs), last.createdAtMs + 1000],
  );
  for (const { tag } of migrationFiles)
    await cp(path.join(migrationsFolder, `${tag}.sql`), path.join(folder.folder, `${tag}.sql`));
  await expect(
    migrate(drizzle(fresh), { migrationsFolder: folder.folder, migrationsSchema, migrationsTable }),
  ).rejects.toMatchObject({ cause: { message: expect.stringContaining('has no name') } });
  const { rows } = await fresh.query('select name from multi_pair_db.migrations order by created_at');
  expect(rows).toEqual(journal.slice(0, -1).map((row) => ({ name: Object(row)['name'] })));
});
