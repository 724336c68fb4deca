import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { restoreBackup } from '../../../src/ops/backup/restore.ts';
import { backUpInto, checksum, env, fillWithRows } from '../../support/backups.ts';
import { runCli } from '../../support/cli.ts';
import { findPrograms } from '../../support/client-programs.ts';
import { createDatabase } from '../../support/database.ts';
import { lastTag } from '../../support/facts.ts';
import { migrate } from '../../support/migrations.ts';
import { serverVersions } from '../../support/server.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-others-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

const able = serverVersions.filter((version) => findPrograms(version) !== undefined);

const dependents = [
  ['create table risk (id text references sessions (id))', 'constraint risk_id_fkey on table public.risk'],
  ['create view latest as select id from fills', 'view public.latest'],
  ['create view over_it as select id from (select id from orders) as o', 'view public.over_it'],
  ['create materialized view volumes as select count(*) as n from fills', 'materialized view public.volumes'],
  ['create table typed (s sessions)', 'table public.typed'],
  [
    'create function f(s sessions) returns int language sql as $$ select 1 $$',
    'function public.f(public.sessions)',
  ],
  ['create table daily () inherits (fills)', 'table public.daily'],
  ['create publication outbound for table orders', 'public.orders in publication outbound'],
  [
    'create table audited (id text); create trigger t before insert on audited for each row execute function multi_pair_db.sessions_sync_pairs()',
    'trigger t on table public.audited',
  ],
  ['create view journal as select * from multi_pair_db.migrations', 'view public.journal'],
] as const;

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: what others have that depends on our tables is named, and nothing is changed; what the backup holds comes back',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    const before = await checksum(db.sql);
    const file = await backUpInto(folder, db, version, 'database');
    const tables = await backUpInto(folder, db, version, 'tables');
    const options = { confirm: db.name, disconnect: true, folder };
    const [session] = await db.sql`select pg_backend_pid() as pid`;
    await db.sql.unsafe(dependents.map(([sql]) => sql).join(';'));
    for (const from of [file, tables]) {
      const error: unknown = await restoreBackup(from, db.url, options).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'REFUSED', exitCode: 4 });
      for (const [, name] of dependents) expect(String(error)).toContain(name);
    }
    // Refused before anybody was disconnected.
    expect(await db.sql`select pid from pg_stat_activity where pid = ${session?.['pid']}`).toHaveLength(1);
    expect(await checksum(db.sql)).toEqual(before);

    // The whole database holds them now, so they come back with it; a backup of the tables does not.
    const all = await backUpInto(folder, db, version, 'database');
    await db.sql`insert into risk values ('s1')`;
    const report = await restoreBackup(all, db.url, options);
    expect(report).toMatchObject({ complete: true, objects: { missing: [], surplus: [] } });
    expect(await checksum(db.sql)).toEqual(before);
    expect(await db.sql`select count(*)::int as n from latest`).toEqual([{ n: 2000 }]);
    expect(await db.sql`select conname from pg_constraint where conname = 'risk_id_fkey'`).toHaveLength(1);
    expect(await db.sql`select tablename from pg_publication_tables`).toEqual([{ tablename: 'orders' }]);
  },
);

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: extra indexes, columns and constraints are of the table, and go; tables in another schema, or not in the backup, are refused',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    const before = await checksum(db.sql);
    const file = await backUpInto(folder, db, version, 'tables');
    const options = { confirm: db.name, disconnect: true, folder };
    await db.sql.unsafe(`
      create index idx_fills_symbol__set_aside on fills (symbol, price);
      alter table fills add column n bigint generated always as identity,
        add column doubled real generated always as (price * 2) stored,
        add constraint positive check (n > 0)`);
    const extended = await backUpInto(folder, db, version, 'tables');
    expect(await restoreBackup(file, db.url, options)).toMatchObject({
      complete: true,
      objects: { missing: [], surplus: [] },
    });
    expect(await checksum(db.sql)).toEqual(before);
    // And they come back with a backup that has them.
    expect(await restoreBackup(extended, db.url, options)).toMatchObject({
      complete: true,
      objects: { missing: [], surplus: [] },
    });
    await db.sql`insert into fills (id, price) values ('new', 2)`;
    expect(await db.sql`select n::int, doubled from fills where id = 'new'`).toEqual([
      { n: 2001, doubled: 4 },
    ]);

    await db.sql.unsafe('create schema trading; alter table fills set schema trading');
    await db.sql.unsafe(`alter database ${db.name} set search_path = trading, public`);
    await expect(restoreBackup(file, db.url, options)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('trading.fills'),
    });
    await using other = await createDatabase(version, 'empty');
    await other.sql`create table sessions (id text)`;
    const none = await backUpInto(folder, other, version, 'tables');
    await expect(restoreBackup(none, db.url, options)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringMatching(/does not hold .*trading\.fills/),
    });
  },
);

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: an owner who is no superuser restores; a superuser who restores leaves all of it to the owner',
  async (version) => {
    await using db = await createDatabase(version, 'empty');
    const role = `owner_${db.name}`;
    const url = db.url.replace('postgres@', `${role}@`);
    await db.sql.unsafe(`create role ${role} login; alter database ${db.name} owner to ${role}`);
    try {
      await db.sql.unsafe(`alter schema public owner to ${role}`);
      await migrate(url);
      await fillWithRows(db.sql);
      const before = await checksum(db.sql);
      const file = await backUpInto(folder, db, version, 'tables');
      await db.sql.end();
      for (const by of [url, db.url]) {
        const words = ['restore', file, '--confirm', db.name, '--dir', folder, '--url', by];
        const done = await runCli(words, env(version));
        expect(done, done.stderr).toMatchObject({ exitCode: 0 });
        const sql = db.connect({ max: 1 });
        expect(await checksum(sql)).toEqual(before);
        expect(
          await sql`select distinct pg_get_userbyid(relowner) as owner from pg_class where relname in ('sessions', 'orders', 'fills', 'migrations')
                    union select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'multi_pair_db'
                    union select pg_get_userbyid(proowner) from pg_proc where pronamespace = 'multi_pair_db'::regnamespace`,
        ).toEqual([{ owner: role }]);
        await sql.end();
      }
      expect(await runCli(['rollback', lastTag, '--url', url], {}, folder)).toMatchObject({ exitCode: 0 });
      expect(await runCli(['migrate', '--url', url], {}, folder)).toMatchObject({ exitCode: 0 });
    } finally {
      const admin = db.connect({ max: 1 });
      await admin.unsafe(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    }
  },
);
