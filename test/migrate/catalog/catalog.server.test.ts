import { expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { inCheckTransaction } from '../../../src/connection/read-only.ts';
import { readCatalog, scopeOf } from '../../../src/migrate/catalog/catalog.ts';
import { readCatalogFile } from '../../../src/migrate/catalog/catalog-file.ts';
import { createDatabase } from '../../support/database.ts';
import { migrate, migrationsFolder } from '../../support/migrations.ts';
import { serverVersions } from '../../support/server.ts';

const readExpected = async () =>
  (await readCatalogFile(migrationsFolder)).map(({ migration: _, ...object }) => object);

const readScope = async () => scopeOf(await readCatalogFile(migrationsFolder));

test.each(serverVersions)('PostgreSQL %i: a fresh install is what the file says', async (version) => {
  await using db = await createDatabase(version, 'migrated');
  await using connection = await openConnection(db.url);
  expect(await readCatalog(connection, await readScope())).toEqual(await readExpected());
});

test.each(serverVersions)('PostgreSQL %i: a migrated live database is, too', async (version) => {
  await using db = await createDatabase(version, 'legacy');
  await migrate(db.url);
  await using connection = await openConnection(db.url);
  expect(await readCatalog(connection, await readScope())).toEqual(await readExpected());
});

test.each(serverVersions)(
  'PostgreSQL %i: neither the schema of the tables nor the quoting of names makes a difference',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`
    create schema trading;
    alter table sessions set schema trading;
    alter table orders set schema trading;
    alter table fills set schema trading;
    alter database ${db.name} set search_path = trading;
    alter database ${db.name} set quote_all_identifiers = on`);
    await using connection = await openConnection(db.url);
    const live = await inCheckTransaction(connection, {}, async () =>
      readCatalog(connection, await readScope()),
    );
    expect(live).toEqual(await readExpected());
  },
);
