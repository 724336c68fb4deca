import { expect, test } from 'vitest';
import { readCatalog } from '../../src/migrate/catalog.ts';
import { readCatalogFile } from '../../src/migrate/catalogFile.ts';
import { openConnection } from '../../src/migrate/connection.ts';
import { createDatabase } from '../support/database.ts';
import { migrate, migrationsFolder } from '../support/migrations.ts';
import { serverVersions } from '../support/server.ts';

const tables = ['sessions', 'orders', 'fills'];

const readExpected = async () =>
  (await readCatalogFile(migrationsFolder)).map(({ migration: _, ...object }) => object);

test.each(serverVersions)('PostgreSQL %i: a fresh install is what the file says', async (version) => {
  await using db = await createDatabase(version, 'migrated');
  await using connection = await openConnection(db.url);
  expect(await readCatalog(connection, tables)).toEqual(await readExpected());
});

test.each(serverVersions)('PostgreSQL %i: a migrated live database is, too', async (version) => {
  await using db = await createDatabase(version, 'legacy');
  await migrate(db.url);
  await using connection = await openConnection(db.url);
  expect(await readCatalog(connection, tables)).toEqual(await readExpected());
});

test.each(serverVersions)(
  'PostgreSQL %i: the schema that holds the tables makes no difference',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`
    create schema trading;
    alter table sessions set schema trading;
    alter table orders set schema trading;
    alter table fills set schema trading;
    alter function sessions_sync_pairs() set schema trading;
    alter database ${db.name} set search_path = trading`);
    await using connection = await openConnection(db.url);
    expect(await readCatalog(connection, tables)).toEqual(await readExpected());
  },
);
