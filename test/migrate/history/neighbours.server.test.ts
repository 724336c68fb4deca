import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateFolder } from 'drizzle-orm/postgres-js/migrator';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, readStatus, verifyDatabase } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { migrationFiles, tags, tagsAfter, tagsUpTo } from '../../support/facts.ts';
import { createFolder } from '../../support/folder.ts';
import { migrate, migrationsFolder } from '../../support/migrations.ts';
import { oddities } from '../../support/oddities.ts';
import { rollBackDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

/** Applies a folder as a project does that says nothing of its journal. */
async function migrateByDefault(db: TestDatabase, folder: string): Promise<void> {
  const client = db.connect({ max: 1 });
  await migrateFolder(drizzle(client), { migrationsFolder: folder });
  await client.end();
}

const stamps = migrationFiles.map(({ createdAtMs }) => createdAtMs);
const listOurs = async (db: TestDatabase) =>
  (await db.sql`select created_at::float8 as at from multi_pair_db.migrations order by created_at`).map(
    ({ at }) => at,
  );
const listTheirs = (db: TestDatabase) =>
  db.sql`select hash, created_at from drizzle.__drizzle_migrations order by id`;

/** The tags that status calls applied; all others have to be pending. */
const listApplied = async (db: TestDatabase): Promise<string[]> => {
  await using connection = await openConnection(db.url);
  const { migrations, faults } = await readStatus(connection);
  expect(faults).toEqual([]);
  expect(migrations.filter(({ state }) => state !== 'applied' && state !== 'pending')).toEqual([]);
  return migrations.filter(({ state }) => state === 'applied').map(({ tag }) => tag);
};

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  // Stamps far in the future, as of a project that is generated more often than ours.
  const theirs = { '0000_theirs': 'create table theirs (id integer primary key);' };

  test.each(['before ours', 'after ours'])(
    'another Drizzle project in the same database, %s: neither sees the other',
    async (order) => {
      await using db = await createDatabase(version, 'legacy');
      await using folder = await createFolder(theirs);
      await folder.write(theirs, [4_102_444_800_000]);
      await db.sql.unsafe(oddities);
      await using connection = await openConnection(db.url);

      if (order === 'before ours') await migrateByDefault(db, folder.folder);
      await migrate(db.url);
      if (order === 'after ours') await migrateByDefault(db, folder.folder);
      const rows = await listTheirs(db);
      expect(rows).toHaveLength(1);

      expect(await listApplied(db)).toEqual(tags);
      expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
      await rollBackDownTo(connection, '001');
      expect(await listApplied(db)).toEqual(tagsUpTo('001'));
      await migrate(db.url);
      await rollBackDownTo(connection, '000');
      expect((await applyMigrations(connection)).applied.map(({ tag }) => tag)).toEqual(tagsAfter('000'));
      expect(await listTheirs(db)).toEqual(rows);
      expect(await listOurs(db)).toEqual(stamps);
      expect(await db.sql`select to_regclass('theirs') is not null as present`).toEqual([{ present: true }]);
    },
  );

  test('rows of ours in the default journal are adopted, and go with a rollback', async () => {
    await using db = await createDatabase(version, 'legacy');
    await using folder = await createFolder(theirs);
    await folder.write(theirs, [4_102_444_800_000]);
    await db.sql.unsafe(oddities);
    await migrateByDefault(db, migrationsFolder);
    await migrateByDefault(db, folder.folder);
    await using connection = await openConnection(db.url);

    expect(await listApplied(db)).toEqual(tags);
    expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
    expect((await applyMigrations(connection)).applied).toEqual([]);
    expect(await listOurs(db)).toEqual(stamps);
    // Stock drizzle-kit with our configuration, and with the default one, has nothing to do.
    await migrate(db.url);
    await migrateByDefault(db, migrationsFolder);
    expect(await listOurs(db)).toEqual(stamps);
    expect(await listTheirs(db)).toHaveLength(tags.length + 1);

    await rollBackDownTo(connection, '001');
    expect(await listApplied(db)).toEqual(tagsUpTo('001'));
    expect(await listTheirs(db)).toHaveLength(tagsUpTo('001').length + 1);
    await migrate(db.url);
    expect(await listApplied(db)).toEqual(tags);
  });

  test('stock drizzle-kit with our configuration takes over from the default journal', async () => {
    await using db = await createDatabase(version, 'legacy');
    await migrateByDefault(db, migrationsFolder);
    await migrate(db.url);
    expect(await listOurs(db)).toEqual(stamps);
    await using connection = await openConnection(db.url);
    expect((await applyMigrations(connection)).applied).toEqual([]);
    expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
  });

  test('a role that may not look into the default journal is not stopped by it', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    await db.sql.unsafe(
      'create schema drizzle; create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint)',
    );
    const role = `owner_${db.name}`;
    await db.sql.unsafe(`create role ${role} login;
      grant create on schema public to ${role}; grant create on database ${db.name} to ${role};
      alter table sessions owner to ${role}; alter table orders owner to ${role}; alter table fills owner to ${role}`);
    try {
      await using connection = await openConnection(db.url.replace('postgres@', `${role}@`));
      expect((await applyMigrations(connection)).applied.map(({ tag }) => tag)).toEqual(tags);
      await rollBackDownTo(connection, '000');
      expect((await applyMigrations(connection)).applied.map(({ tag }) => tag)).toEqual(tagsAfter('000'));
    } finally {
      await db.sql.unsafe(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    }
  });
});
