import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { backUpInto, env, fillWithRows, isClosed } from '../../support/backups.ts';
import { runCli } from '../../support/cli.ts';
import { findPrograms } from '../../support/client-programs.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-alone-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

const able = serverVersions.filter((version) => findPrograms(version) !== undefined);

/** A service that writes as fast as it can, and connects again whenever it is thrown out. */
function startService(name: string, url: string) {
  const written: { readonly id: string; readonly at: number }[] = [];
  let isStopped = false;
  let count = 0;
  const session = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url, application_name: name });
    // Thrown out while it waits for nothing.
    client.on('error', () => {});
    try {
      await client.connect();
      while (!isStopped) {
        const id = `${name}-${++count}`;
        await client.query("insert into sessions (id, symbol) values ($1, 'BTC/USD')", [id]);
        written.push({ id, at: Date.now() });
      }
    } finally {
      await client.end().catch(() => {});
    }
  };
  const running = (async () => {
    while (!isStopped) await session().catch(() => {});
  })();
  return {
    written,
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

/** What a watcher on another database sees of the door. */
async function watchDoor(db: TestDatabase) {
  const admin = db.connect({ database: 'postgres', max: 1 });
  let closedAt = 0;
  let isStopped = false;
  const running = (async () => {
    while (!isStopped) {
      if (await isClosed(admin, db)) closedAt = Date.now();
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await running;
      return closedAt;
    },
  };
}

const words = (file: string, db: TestDatabase, ...more: string[]) => [
  'restore',
  file,
  '--confirm',
  db.name,
  '--dir',
  path.join(folder, 'saved'),
  '--url',
  db.url,
  ...more,
];

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: refuses under services that write, and names each; --disconnect ends them, keeps them out, saves what was there',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    const file = await backUpInto(folder, db, version);
    const role = `trader_${db.name}`;
    await db.sql.unsafe(`create role ${role} login; grant pg_write_all_data, pg_read_all_data to ${role}`);
    const url = db.url.replace('postgres@', `${role}@`);
    const names = ['settlement', 'ingestion', 'analytics'];
    const services = names.map((name) => startService(name, name === 'analytics' ? url : db.url));
    try {
      await until(async () => services.every(({ written }) => written.length > 5), 'all of them write');
      const refused = await runCli(words(file, db), env(version));
      expect(refused.exitCode).toBe(4);
      for (const name of names) {
        const of = name === 'analytics' ? role : 'postgres';
        expect(refused.stderr).toMatch(
          new RegExp(
            `pid \\d+ \\(${name}, (idle|active)( in transaction)?( for .*)?\\) of role ${of} from 127\\.0\\.0\\.1`,
          ),
        );
      }
      expect(refused.stderr).toContain('--disconnect');

      const door = await watchDoor(db);
      const done = await runCli(words(file, db, '--disconnect', '--json'), env(version));
      const closedAt = await door.stop();
      expect(done, done.stdout + done.stderr).toMatchObject({ exitCode: 0 });
      const { result } = JSON.parse(done.stdout);
      expect(result).toMatchObject({ complete: true, verification: { verified: true } });
      expect(result.disconnected.map(({ application }: { application: string }) => application)).toEqual(
        expect.arrayContaining(names),
      );
      // Nobody's write got into the restored tables before it was done with them.
      const kept = new Set(
        (await db.sql`select id from sessions where id not like 's%' or id like 'settlement%'`).map(
          ({ id }) => id,
        ),
      );
      const early = services
        .flatMap(({ written }) => written)
        .filter(({ id, at }) => kept.has(id) && at < closedAt);
      expect(closedAt).toBeGreaterThan(0);
      expect(early).toEqual([]);
      // They are let in again.
      const before = services.map(({ written }) => written.length);
      await until(
        async () => services.every(({ written }, i) => written.length > (before[i] ?? 0)),
        'they write again',
      );

      // All that was ever committed before is in what it saved.
      const saved = result.safetyBackup.path;
      expect((await stat(saved)).mode & 0o77).toBe(0);
      await using other = await createDatabase(version, 'empty');
      expect(
        await runCli(['restore', saved, '--into', other.name, '--url', db.url], env(version)),
      ).toMatchObject({ exitCode: 0 });
      const inSaved = new Set((await other.sql`select id from sessions`).map(({ id }) => id));
      const lost = services
        .flatMap(({ written }) => written)
        .filter(({ id }) => !inSaved.has(id) && !kept.has(id))
        .filter(({ at }) => at < closedAt);
      expect(lost).toEqual([]);
    } finally {
      await Promise.all(services.map(({ stop }) => stop()));
      await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  },
);

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: the owner of the tables alone can’t close the door, says so, and ends who comes',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    const role = `tables_${db.name}`;
    await db.sql.unsafe(`create role ${role} login; grant create on database ${db.name} to ${role}; grant all on schema public to ${role};
      alter table sessions owner to ${role}; alter table orders owner to ${role}; alter table fills owner to ${role};
      alter schema multi_pair_db owner to ${role};`);
    await db.sql.unsafe(`do $$ declare s text; begin
      for s in select format('alter routine %s owner to ${role}', oid::regprocedure) from pg_proc where pronamespace = 'multi_pair_db'::regnamespace
      loop execute s; end loop; end $$; alter table multi_pair_db.migrations owner to ${role}; alter table multi_pair_db.pause owner to ${role}`);
    const url = db.url.replace('postgres@', `${role}@`);
    const service = startService('ingestion', url);
    try {
      await until(async () => service.written.length > 0, 'it writes');
      const file = await backUpInto(folder, db, version, 'tables');
      await db.sql.end();
      const done = await runCli(
        [
          'restore',
          file,
          '--confirm',
          db.name,
          '--disconnect',
          '--dir',
          path.join(folder, 'by-role'),
          '--url',
          url,
        ],
        env(version),
      );
      expect(done, done.stdout + done.stderr).toMatchObject({ exitCode: 0 });
      expect(done.stderr).toContain('new sessions can’t be kept out');
      expect(done.stdout).toContain('all 5 tables have the rows that were backed up');
      expect(await readdir(path.join(folder, 'by-role'))).toHaveLength(2);
    } finally {
      await service.stop();
      const admin = db.connect({ max: 1 });
      await admin.unsafe(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    }
  },
);

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: says what it is doing, and names what it saved; without --disconnect nobody is disconnected',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    const file = await backUpInto(folder, db, version, 'tables');
    await db.sql.end();
    const done = await runCli(words(file, db), env(version));
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    const saved = /is backed up in (\S+-before-restore\.dump)/.exec(done.stdout)?.[1] ?? '';
    expect(JSON.parse(await readFile(`${saved}.json`, 'utf8'))).toMatchObject({
      scope: 'tables',
      database: db.name,
    });
    for (const phase of [
      'backing up what is replaced',
      'pg_restore into',
      'counting rows',
      'analyzing',
      'verifying',
    ]) {
      expect(done.stderr).toContain(phase);
    }
    const without = await runCli(words(file, db, '--no-safety-backup', '--json'), env(version));
    expect(JSON.parse(without.stdout).result).not.toHaveProperty('safetyBackup');
    expect(JSON.parse(without.stdout).result).not.toHaveProperty('disconnected');
  },
);
