import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { backUpInto, checksum, env, fillWithRows, isClosed } from '../../support/backups.ts';
import { type CliProcess, startCli } from '../../support/cli.ts';
import { findPrograms } from '../../support/client-programs.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { startLine } from '../../support/endpoints.ts';
import { migrate } from '../../support/migrations.ts';
import { type ServerVersion, serverVersions, startServer } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';
import { listStatements } from '../../torture/sent.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-cut-off-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

const able = serverVersions.filter((version) => findPrograms(version) !== undefined);

type Place = Pick<TestDatabase, 'name' | 'url' | 'sql'>;

const words = (file: string, db: Place) => [
  'restore',
  file,
  '--confirm',
  db.name,
  '--no-safety-backup',
  '--url',
  db.url,
];

/** A backup whose restore stays for long at an index: only there, and not when the table is made. */
async function backUpSlow(db: Place, version: ServerVersion, seconds: number): Promise<string> {
  await db.sql.unsafe(`
    create function public.slowly(id int) returns int immutable language plpgsql as $$
    begin
      if current_setting('application_name') like 'multi-pair-db restore%' then perform pg_sleep(${seconds}); end if;
      return id;
    end $$;
    create table slow (id int); insert into slow values (1); create index idx_slow on slow (public.slowly(id))`);
  return backUpInto(folder, db, version);
}

async function untilItBuilds(admin: Sql, db: Place): Promise<void> {
  await until(async () => {
    const rows =
      await admin`select from pg_stat_activity where datname = ${db.name} and query ilike 'create index idx_slow%' and state = 'active'`;
    return rows.length === 1;
  }, 'the restore is in the middle');
}

const untilNobodyIsThere = (admin: Sql, db: TestDatabase) =>
  until(
    async () => (await admin`select from pg_stat_activity where datname = ${db.name}`).length === 0,
    'all of its sessions are gone',
  );

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: interrupted or killed in the middle, nothing is changed, and the database takes sessions again',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await fillWithRows(db.sql);
    const file = await backUpSlow(db, version, 3);
    await db.sql`update sessions set symbol = 'newer'`;
    const before = await checksum(db.sql);
    await db.sql.end();
    const admin = db.connect({ database: 'postgres', max: 1 });
    const start = async (): Promise<CliProcess> => {
      const started = startCli(words(file, db), env(version));
      await untilItBuilds(admin, db);
      expect(await isClosed(admin, db)).toBe(true);
      return started;
    };
    const unchanged = async () => {
      await until(async () => !(await isClosed(admin, db)), 'the door is open');
      await untilNobodyIsThere(admin, db);
      const sql = db.connect({ max: 1 });
      expect(await checksum(sql)).toEqual(before);
      await sql.end();
    };

    const interrupted = await start();
    const interruptedAt = Date.now();
    interrupted.child.kill('SIGINT');
    const { exitCode, stderr } = await interrupted.ended;
    expect(Date.now() - interruptedAt).toBeLessThan(2_000);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('rolled back; nothing was changed'),
    });
    expect(await isClosed(admin, db)).toBe(false);
    await unchanged();

    const killed = await start();
    killed.child.kill('SIGKILL');
    await killed.ended;
    await unchanged();
  },
);

test.skipIf(able.length === 0).each(able)(
  'PostgreSQL %i: killed while rows are coming in: half a script is never committed',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(
      `insert into sessions (id, data) select 's' || n, to_jsonb(repeat(md5(n::text), 100)) from generate_series(1, 5000) as n`,
    );
    const file = await backUpInto(folder, db, version);
    await db.sql`update sessions set symbol = 'newer'`;
    const before = await checksum(db.sql);
    await db.sql.end();
    const admin = db.connect({ database: 'postgres', max: 1 });
    const killed = startCli(words(file, db), env(version));
    await until(async () => {
      const rows =
        await admin`select from pg_stat_activity where datname = ${db.name} and query like 'COPY public.sessions%' and state = 'active'`;
      return rows.length === 1;
    }, 'rows are coming in');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await until(async () => !(await isClosed(admin, db)), 'the door is open');
    await untilNobodyIsThere(admin, db);
    const sql = db.connect({ max: 1 });
    expect(await checksum(sql)).toEqual(before);
  },
);

test.skipIf(!able.includes(18)).each([
  ['the owner is asked for', /pg_has_role\(datdba/],
  ['its transaction begins', /pg_current_xact_id/],
  ['the tables are locked', /lock table/i],
  ['the database is closed', /with allow_connections false/],
  ['it is committed', /^commit/],
])(
  'the line is cut when %s: it ends, all of it is done or nothing, and the database takes sessions',
  async (_, statement) => {
    await using db = await createDatabase(18, 'migrated');
    await fillWithRows(db.sql);
    const file = await backUpInto(folder, db, 18);
    const backedUp = await checksum(db.sql);
    await db.sql`update sessions set symbol = 'newer'`;
    const newer = await checksum(db.sql);
    await db.sql.end();
    await using line = await startLine(Number(new URL(db.url).port));
    line.onSent((sent) => {
      if (listStatements(sent).some((sql) => statement.test(sql))) line.cut();
    });
    const far = new URL(db.url);
    far.port = String(line.port);

    const { child, ended } = startCli(words(file, { ...db, url: far.href }), env(18));
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const { exitCode, stderr } = await ended;
    clearTimeout(late);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/what to do/) });
    const admin = db.connect({ database: 'postgres', max: 1 });
    expect(await isClosed(admin, db)).toBe(false);
    await untilNobodyIsThere(admin, db);
    expect([backedUp, newer]).toContainEqual(await checksum(db.connect({ max: 1 })));
  },
);

test.skipIf(!able.includes(18))(
  'the server is killed while the database takes no sessions: it ends, and says what lets them in again',
  async () => {
    const server = await startServer(18);
    const clients: Sql[] = [];
    const connect = (database: string): Sql => {
      const sql = postgres(server.url(database), { max: 1, onnotice: () => {} });
      clients.push(sql);
      return sql;
    };
    try {
      await connect('postgres')`create database cut`;
      await migrate(server.url('cut'));
      const db = { name: 'cut', url: server.url('cut'), sql: connect('cut') };
      const file = await backUpSlow(db, 18, 60);
      await db.sql.end();
      const admin = connect('postgres');
      const { child, ended } = startCli(words(file, db), env(18));
      await untilItBuilds(admin, db);
      await admin.end();
      await server.kill();

      // Its guard waits for the end of the process, which must not wait for the guard.
      const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
      const { exitCode, stderr } = await ended;
      clearTimeout(late);
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: expect.any(Number),
        stderr: expect.stringContaining('the database cut still takes no new connections'),
      });
      const [, statement = ''] = /(alter database cut with [^;]+);/.exec(stderr) ?? [];
      await server.start();
      const again = connect('postgres');
      expect(await isClosed(again, db)).toBe(true);
      await again.unsafe(statement);
      expect(await isClosed(again, db)).toBe(false);
      expect(await connect('cut')`select count(*)::int as rows from slow`).toEqual([{ rows: 1 }]);
    } finally {
      await Promise.all(clients.map((sql) => sql.end({ timeout: 1 }).catch(() => {})));
      await server.destroy();
    }
  },
);
