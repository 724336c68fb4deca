import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Outcome } from '../../../src/cli/command.ts';
import { openConnection } from '../../../src/connection/open.ts';
import { readState } from '../../../src/ops/backup/backup-state.ts';
import { ensureFillArchive } from '../../../src/ops/duplicates/archive.ts';
import { applyMigrations } from '../../../src/own/index.ts';
import { backUpInto, checksum, fillWithRows } from '../../support/backups.ts';
import { findPrograms, needsPrograms } from '../../support/client-programs.ts';
import { runCommand } from '../../support/command.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { forEachTag, tagsAfter } from '../../support/facts.ts';
import { migrate } from '../../support/migrations.ts';
import { rollBackDatabaseDownTo } from '../../support/rollback.ts';
import { type ServerVersion, serverVersions } from '../../support/server.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-restore-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

const scopes = ['database', 'tables'] as const;
const cases = serverVersions.flatMap((version) => scopes.map((scope) => ({ version, scope })));
const able = cases.filter(({ version }) => findPrograms(version) !== undefined);

const backUp = (db: TestDatabase, version: ServerVersion, scope: 'database' | 'tables') =>
  backUpInto(folder, db, version, scope);

/** Over the database itself; whoever is connected goes, which are this test's own pools. */
const restore = (file: string, db: TestDatabase) =>
  runCommand(['restore', file, '--confirm', db.name, '--disconnect', '--no-safety-backup', '--url', db.url]);

const verify = (url: string) => runCommand(['verify', '--url', url]);

const migrateOn = async (url: string) => {
  await using connection = await openConnection(url);
  return await applyMigrations(connection);
};

const stateOf = async (db: TestDatabase): Promise<unknown> => {
  await using connection = await openConnection(db.url);
  return await readState(connection);
};

const sumOf = async (sql: Sql): Promise<unknown> => [
  ...(await sql`select md5(string_agg(t::text, '' order by id)) as sum from sessions as t
                union all select md5(string_agg(t::text, '' order by id)) from fills as t`),
];

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL $version, $scope: a backup from before the migration, over the migrated database: before the migration',
  async ({ version, scope }) => {
    await using db = await createDatabase(version, 'legacy');
    await fillWithRows(db.sql);
    await db.sql.unsafe(`
      create table balances (id int);
      create schema risk; create table risk.limits (id int);
      create schema drizzle; create table drizzle.__drizzle_migrations (id serial primary key, hash text, created_at bigint);
      insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 1700000000000)`);
    const before = await sumOf(db.sql);
    const state = await stateOf(db);
    const file = await backUp(db, version, scope);

    await migrate(db.url);
    await db.sql.unsafe(`
      update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 's1';
      insert into drizzle.__drizzle_migrations (hash, created_at) select hash, created_at from multi_pair_db.migrations;
      create table positions (id int); create schema later; create table later.prices (id int)`);

    const done = await restore(file, db);
    expect(done, done.text).toMatchObject({ exitCode: 0 });
    expect(done.text).toContain('verified: as before the migration');
    expect(await sumOf(db.sql)).toEqual(before);
    expect(await stateOf(db)).toEqual(state);
    // What others have is as it was.
    expect(
      await db.sql`select to_regclass(name) is not null as there, name
                   from unnest(array['balances', 'risk.limits', 'positions', 'later.prices']) as name
                   where to_regclass(name) is null`,
    ).toEqual([]);
    expect(await db.sql`select hash from drizzle.__drizzle_migrations`).toEqual([{ hash: 'theirs' }]);
    expect(await db.sql`select to_regnamespace('multi_pair_db') as frame`).toEqual([{ frame: null }]);

    // No command says that anything is applied, and `migrate` applies all of it.
    const status = await runCommand(['status', '--url', db.url]);
    expect(Reflect.get(status.result, 'migrations')).toMatchObject(forEachTag({ state: 'pending' }));
    await migrateOn(db.url);
    expect(await verify(db.url)).toMatchObject({ exitCode: 0 });
  },
);

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL $version, $scope: each state comes back as it was: half way, migrated over rolled back, into an empty database',
  async ({ version, scope }) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    await db.sql`update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 's1'`;
    // A pause is of its moment: it is no part of the backup.
    await db.sql`insert into multi_pair_db.pause (paused_by) values ('alice')`;
    const migrated = {
      sums: await checksum(db.sql),
      state: await stateOf(db),
      file: await backUp(db, version, scope),
    };
    await db.sql`delete from multi_pair_db.pause`;
    await rollBackDatabaseDownTo(db.url, '001');
    const half = {
      sums: await checksum(db.sql),
      state: await stateOf(db),
      file: await backUp(db, version, scope),
    };
    await rollBackDatabaseDownTo(db.url, '0');
    const undone = {
      sums: await checksum(db.sql),
      state: await stateOf(db),
      file: await backUp(db, version, scope),
    };
    const aside = await db.sql`select * from multi_pair_db.undo_sessions`;
    expect(aside).toHaveLength(1);

    const expectState = async (done: Outcome, wanted: typeof half, says: string, sql = db.sql) => {
      expect(done, done.text).toMatchObject({ exitCode: 0 });
      expect(done.text).toContain(says);
      expect(await checksum(sql)).toEqual(wanted.sums);
    };
    const release = 'verified: the database is what this release says';
    await expectState(await restore(migrated.file, db), migrated, release);
    expect(await stateOf(db)).toEqual(migrated.state);
    expect(await db.sql`select * from multi_pair_db.pause`).toEqual([]);
    expect(await db.sql`select to_regclass('multi_pair_db.undo_sessions') as aside`).toEqual([
      { aside: null },
    ]);

    await expectState(
      await restore(half.file, db),
      half,
      `verified: as after 0001_multi_pair_support, with ${tagsAfter('001').join(', ')} not applied`,
    );
    expect(await stateOf(db)).toEqual(half.state);

    await expectState(await restore(undone.file, db), undone, 'verified: as before the migration');
    expect(await stateOf(db)).toEqual(undone.state);
    // What the rollback had put aside is given back by the next migration.
    expect(await db.sql`select * from multi_pair_db.undo_sessions`).toEqual(aside);

    await using empty = await createDatabase(version, 'empty');
    const done = await runCommand(['restore', half.file, '--into', empty.name, '--url', db.url]);
    await expectState(done, half, 'verified: as after 0001_multi_pair_support', empty.sql);
    await migrateOn(empty.url);
    expect(await verify(empty.url)).toMatchObject({ exitCode: 0 });
  },
);

/** Moves a fill to the archive, as `dedupe` does. */
async function archive(db: TestDatabase, id: string): Promise<void> {
  await using connection = await openConnection(db.url);
  await ensureFillArchive(connection);
  await db.sql.unsafe(
    `insert into multi_pair_db.archived_fills (id, price, archived_reason, archived_kept_id) values ('${id}', 1, 'twice', 'f1')`,
  );
}

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL $version, $scope: the archive of dedupe is never lost: put aside where the backup has none, or another one',
  async ({ version, scope }) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    const without = await backUp(db, version, scope);
    await archive(db, 'gone-1');
    const withOne = await backUp(db, version, scope);

    // The same archive is in the backup: nothing to put aside.
    const same = await restore(withOne, db);
    expect(same.result, same.text).not.toHaveProperty('keptArchives');
    expect(await db.sql`select id from multi_pair_db.archived_fills`).toEqual([{ id: 'gone-1' }]);

    await archive(db, 'gone-2');
    const kept: string[] = [];
    for (const file of [withOne, without]) {
      const done = await restore(file, db);
      expect(done, done.text).toMatchObject({ exitCode: 0 });
      kept.push(/is (multi_pair_db\.archived_fills_replaced_\w+) now/.exec(done.text)?.[1] ?? '');
    }
    const ids = (name: string | undefined) => db.sql.unsafe(`select id from ${name} order by id`);
    expect(await ids(kept[0])).toEqual([{ id: 'gone-1' }, { id: 'gone-2' }]);
    expect(await ids(kept[1])).toEqual([{ id: 'gone-1' }]);
    expect(await verify(db.url)).toMatchObject({ exitCode: 0 });
    // Dedupe makes a new one beside them.
    await archive(db, 'gone-3');
    expect(await ids('multi_pair_db.archived_fills')).toEqual([{ id: 'gone-3' }]);
  },
);

const version = findPrograms(15) === undefined ? 18 : 15;
const skip = findPrograms(version) === undefined;
const why = needsPrograms(version);

test.skipIf(skip)(`a journal in drizzle's default place goes with a backup of the tables${why}`, async () => {
  await using db = await createDatabase(version, 'migrated');
  await db.sql.unsafe(`
    create schema drizzle; create table drizzle.__drizzle_migrations (id serial primary key, hash text, created_at bigint);
    insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 1700000000000);
    insert into drizzle.__drizzle_migrations (hash, created_at) select hash, created_at from multi_pair_db.migrations;
    delete from multi_pair_db.migrations`);
  const rows = await db.sql`select * from drizzle.__drizzle_migrations order by id`;
  const file = await backUp(db, version, 'tables');
  await db.sql`delete from drizzle.__drizzle_migrations where hash <> 'theirs'`;
  await db.sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs, later', 1900000000000)`;
  const over = await restore(file, db);
  expect(over, over.text).toMatchObject({ exitCode: 0 });
  expect(
    await db.sql`select hash, created_at from drizzle.__drizzle_migrations where hash <> 'theirs, later' order by created_at`,
  ).toEqual(rows.map(({ hash, created_at }) => ({ hash, created_at })));
  expect(await db.sql`select count(*)::int as rows from drizzle.__drizzle_migrations`).toEqual([
    { rows: rows.length + 1 },
  ]);

  await using empty = await createDatabase(version, 'empty');
  const done = await runCommand(['restore', file, '--into', empty.name, '--url', db.url]);
  expect(done, done.text).toMatchObject({ exitCode: 0 });
});

test.skipIf(skip)(`a backup with a record of the older kind is restored as well${why}`, async () => {
  const { readFile, writeFile } = await import('node:fs/promises');
  await using db = await createDatabase(version, 'legacy');
  await fillWithRows(db.sql);
  const file = await backUp(db, version, 'database');
  const { state: _state, ...older } = JSON.parse(await readFile(`${file}.json`, 'utf8'));
  await writeFile(`${file}.json`, JSON.stringify(older));
  await migrate(db.url);
  const done = await restore(file, db);
  expect(done, done.text).toMatchObject({ exitCode: 0, text: expect.stringContaining('as before') });
});
