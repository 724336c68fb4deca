import { execFileSync, spawn } from 'node:child_process';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { findFreshBackup } from '../../../src/ops/backup/fresh-backup.ts';
import { restoreBackup } from '../../../src/ops/backup/restore.ts';
import { backUpInto, checksum, env, fillWithRows } from '../../support/backups.ts';
import { runCli, startCli } from '../../support/cli.ts';
import { findPrograms, makeEmptyFolder, needsPrograms } from '../../support/client-programs.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { tags } from '../../support/facts.ts';
import { type ServerVersion, serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-backups-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

const backUp = (db: TestDatabase, version: ServerVersion, scope?: 'database' | 'tables') =>
  backUpInto(path.join(folder, db.name), db, version, scope);

for (const version of serverVersions) {
  const skip = findPrograms(version) === undefined;
  const why = needsPrograms(version);

  test.skipIf(skip)(
    `PostgreSQL ${version}: back up, damage, restore: every row is what it was${why}`,
    async () => {
      await using db = await createDatabase(version, 'migrated');
      await fillWithRows(db.sql);
      const before = await checksum(db.sql);
      const file = await backUp(db, version);
      const record = JSON.parse(await readFile(`${file}.json`, 'utf8'));
      expect(record).toMatchObject({
        scope: 'database',
        database: db.name,
        rows: { 'public.sessions': 2000, 'public.fills': 2000, 'multi_pair_db.migrations': tags.length },
      });
      expect((await readdir(path.dirname(file))).sort()).toEqual([
        path.basename(file),
        `${path.basename(file)}.json`,
      ]);

      await db.sql`delete from fills where id like 'f1%'`;
      await db.sql`update sessions set symbol = 'damaged', pairs = '[]'`;
      const refused = await runCli(['restore', file, '--into', db.name, '--url', db.url], env(version));
      expect(refused).toMatchObject({ exitCode: 4 });
      expect(refused.stderr).toContain(`--confirm ${db.name}`);
      expect(
        await runCli(
          ['restore', file, '--into', db.name, '--confirm', 'other', '--url', db.url],
          env(version),
        ),
      ).toMatchObject({ exitCode: 4 });
      const restored = await runCli(
        ['restore', file, '--confirm', db.name, '--disconnect', '--dir', folder, '--json', '--url', db.url],
        env(version),
      );
      expect(restored, restored.stdout).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(restored.stdout).result).toMatchObject({
        complete: true,
        differences: [],
        verification: { verified: true },
      });
      expect(await checksum(db.sql)).toEqual(before);

      // A database that is not there yet is made.
      const copy = `${db.name}_copy`;
      expect(await runCli(['restore', file, '--into', copy, '--url', db.url], env(version))).toMatchObject({
        exitCode: 0,
      });
      const other = db.connect({ database: copy, max: 1 });
      expect(await checksum(other)).toEqual(before);
      await other.end();
      await db.sql.unsafe(`drop database ${copy} with (force)`);
    },
  );
}

const version = findPrograms(15) === undefined ? 18 : 15;
const skip = findPrograms(version) === undefined;
const why = needsPrograms(version);

test.skipIf(skip || process.platform === 'win32')(
  `a backup is for its owner's eyes only, whatever the umask says; a folder that was there keeps its mode${why}`,
  async () => {
    await using db = await createDatabase(version, 'migrated');
    const mode = async (name: string): Promise<string> => ((await stat(name)).mode & 0o777).toString(8);
    const made = path.join(folder, 'made', 'by-us');
    const shared = path.join(folder, 'shared');
    await mkdir(shared, { mode: 0o755 });
    for (const dir of [made, shared]) {
      const { stdout } = await runCli(['backup', '--json', '--dir', dir, '--url', db.url], env(version));
      const file = JSON.parse(stdout).result.path;
      expect([await mode(file), await mode(`${file}.json`)]).toEqual(['600', '600']);
    }
    expect(await Promise.all([made, path.dirname(made), shared].map(mode))).toEqual(['700', '700', '755']);
  },
);

test.skipIf(skip)(`the three tables and the journal alone, into an empty database${why}`, async () => {
  await using db = await createDatabase(version, 'migrated');
  await using empty = await createDatabase(version, 'empty');
  await fillWithRows(db.sql);
  await db.sql`create table balances (id int)`;
  const before = await checksum(db.sql);
  const file = await backUp(db, version, 'tables');
  expect(path.basename(file)).toMatch(new RegExp(`^${db.name}-\\d{8}T\\d{6}Z-tables\\.dump$`));
  expect(await runCli(['restore', file, '--into', empty.url, '--url', db.url], env(version))).toMatchObject({
    exitCode: 0,
  });
  expect(await checksum(empty.sql)).toEqual(before);
  const [others] = await empty.sql`select to_regclass('balances') as balances`;
  expect(others).toEqual({ balances: null });
  // The trigger came with them.
  await empty.sql`insert into sessions (id, symbol) values ('new', 'ETH/USD')`;
  const [session] = await empty.sql`select pair_count from sessions where id = 'new'`;
  expect(session).toEqual({ pair_count: 1 });
});

test.skipIf(skip)(`a truncated or altered file, and one without a record, are refused${why}`, async () => {
  await using db = await createDatabase(version, 'migrated');
  await using empty = await createDatabase(version, 'empty');
  const file = await backUp(db, version);
  const restore = () => restoreBackup(file, empty.url, { into: empty.name });
  const bytes = await readFile(file);

  await truncate(file, bytes.length - 10);
  await expect(restore()).rejects.toMatchObject({
    code: 'REFUSED',
    message: expect.stringContaining('bytes'),
  });
  const altered = Buffer.from(bytes);
  altered[bytes.length - 100] = (altered[bytes.length - 100] ?? 0) ^ 1;
  await writeFile(file, altered);
  await expect(restore()).rejects.toMatchObject({
    code: 'REFUSED',
    message: expect.stringContaining('its sha256 is another'),
  });
  await writeFile(file, bytes);
  await appendFile(`${file}.json`, '}');
  await expect(restore()).rejects.toMatchObject({ code: 'FILE_INVALID' });
  await rm(`${file}.json`);
  await expect(restore()).rejects.toMatchObject({ code: 'FILE_INVALID' });
  const [row] =
    await empty.sql`select count(*)::int as tables from pg_class where relnamespace = 'public'::regnamespace`;
  expect(row).toEqual({ tables: 0 });
});

test.skipIf(findPrograms(18) === undefined)(
  `a newer pg_dump and pg_restore serve an older server, and what fails half way changes nothing${needsPrograms(18)}`,
  async () => {
    await using db = await createDatabase(15, 'migrated');
    await using other = await createDatabase(15, 'empty');
    await fillWithRows(db.sql);
    // A row may hold the very line that an older server has to be spared.
    await db.sql`update sessions set strategy = ${'x\nSET transaction_timeout = 0;\n'} where id = 's7'`;
    const before = await checksum(db.sql);
    const file = await backUp(db, 18);
    expect(await restoreBackup(file, db.url, { into: other.name })).toMatchObject({ complete: true });
    expect(await checksum(other.sql)).toEqual(before);

    await other.sql.unsafe(
      `update sessions set symbol = 'mine'; create view in_the_way as select id from fills`,
    );
    const mine = await checksum(other.sql);
    const over = { into: other.name, confirm: other.name, disconnect: true, folder };
    await expect(restoreBackup(file, db.url, over)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('view public.in_the_way'),
    });
    expect(await checksum(other.sql)).toEqual(mine);

    // What nobody looks for before fails in the middle.
    await db.sql`create type mood as enum ('calm')`;
    await other.sql.unsafe(
      "drop view in_the_way; create type mood as enum ('calm'); create table theirs (mood mood)",
    );
    await expect(restoreBackup(await backUp(db, 18), db.url, over)).rejects.toMatchObject({
      code: 'REFUSED',
      exitCode: 4,
      serverMessage: expect.stringContaining('theirs'),
    });
    expect(await checksum(other.sql)).toEqual(mine);
  },
);

test.skipIf(skip)(`refuses to replace tables that somebody holds, and says who${why}`, async () => {
  await using db = await createDatabase(version, 'migrated');
  const file = await backUp(db, version);
  const holder = db.connect({ max: 1, connection: { application_name: 'settlement' } });
  await holder`begin`;
  const [held] = await holder`select count(*)::int as rows, pg_backend_pid() as pid from sessions`;
  const restore = () => restoreBackup(file, db.url, { into: db.name, confirm: db.name, folder });
  await expect(restore()).rejects.toMatchObject({
    code: 'LOCKED',
    exitCode: 4,
    message: expect.stringMatching(`pid ${held?.['pid']} .settlement, idle in transaction for \\d+ s`),
  });
  await holder.end();
  expect(await restore()).toMatchObject({ complete: true });
});

test.skipIf(skip)(`a fresh backup is one of this database, sound and young enough${why}`, async () => {
  await using db = await createDatabase(version, 'migrated');
  await using other = await createDatabase(version, 'migrated');
  const file = await backUp(db, version);
  const options = { folder: path.dirname(file), maxAgeMs: 3_600_000 };
  await using connection = await openConnection(db.url.replace('127.0.0.1', 'localhost'));
  expect(await findFreshBackup(connection, options)).toMatchObject({ path: file });
  expect(await findFreshBackup(connection, { ...options, maxAgeMs: 0 })).toBeUndefined();
  await using elsewhere = await openConnection(other.url);
  expect(await findFreshBackup(elsewhere, options)).toBeUndefined();
  await truncate(file, 100);
  expect(await findFreshBackup(connection, options)).toBeUndefined();
});

test.skipIf(skip)(`the disk is full: a clear error, and no half file${why}`, async () => {
  await using db = await createDatabase(version, 'migrated');
  await fillWithRows(db.sql);
  const small = await mkdtemp(path.join(folder, 'small-'));
  const isMounted = mountSmall(small);
  try {
    const done = isMounted
      ? await runCli(['backup', '--json', '--dir', small, '--url', db.url], env(version))
      : await runLimited(['backup', '--json', '--dir', small, '--url', db.url]);
    expect(JSON.parse(done.stdout)).toMatchObject({ exitCode: 5, error: { code: 'OUT_OF_SPACE' } });
    expect(await readdir(small)).toEqual([]);
  } finally {
    if (isMounted) execFileSync('umount', [small]);
  }
});

/** A disk of 48 kB, where this user may mount one. */
function mountSmall(target: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48k', 'tmpfs', target], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Elsewhere a limit on the size of files, which ends pg_dump with SIGXFSZ. */
async function runLimited(args: readonly string[]): Promise<{ stdout: string }> {
  const main = new URL('../../../dist/cli/main.js', import.meta.url).pathname;
  const child = spawn('bash', ['-c', 'ulimit -f 32; exec "$@"', 'bash', process.execPath, main, ...args], {
    env: { ...process.env, ...env(version) },
  });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return { stdout };
}

test.skipIf(skip)(
  `interrupted while it waits for a lock: pg_dump is gone, and so is its file${why}`,
  async () => {
    await using db = await createDatabase(version, 'migrated');
    const holder = db.connect({ max: 1 });
    await holder.unsafe('begin; lock table fills in access exclusive mode');
    const dir = path.join(folder, 'interrupted');
    const { child, ended } = startCli(['backup', '--dir', dir, '--url', db.url], env(version));
    await until(async () => {
      const [row] =
        await db.sql`select count(*)::int as waiting from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())`;
      return row?.['waiting'] === 1;
    }, 'pg_dump waits');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('interrupted') });
    expect(await readdir(dir)).toEqual([]);
    await holder.unsafe('rollback');
  },
);

test('errors are clear: no pg_dump, no folder, no server, no privilege, wrong usage', async () => {
  await using db = await createDatabase(18, 'migrated');
  const none = await runCli(['backup', '--url', db.url], { PG_BIN: makeEmptyFolder() });
  expect(none).toMatchObject({ exitCode: 2 });
  expect(none.stderr).toContain('pg_dump and pg_restore 18 or later are needed; found: none');
  expect(none.stderr).toContain('postgresql-client-18');
  expect(none.stderr).toContain('snapshot');

  const unreachable = await runCli(['backup', '--url', 'postgres://u:geheim@127.0.0.1:1/x']);
  expect(unreachable).toMatchObject({ exitCode: 3, stderr: expect.not.stringContaining('geheim') });
  expect(
    await runCli(['restore', path.join(folder, 'nothing.dump'), '--into', 'x', '--url', db.url]),
  ).toMatchObject({ exitCode: 4 });
  expect(await runCli(['restore', '--url', db.url])).toMatchObject({ exitCode: 2 });
  if (skip) return;

  await using live = await createDatabase(version, 'migrated');
  const file = path.join(folder, 'a-file');
  await writeFile(file, '');
  expect(await runCli(['backup', '--dir', file, '--url', live.url], env(version))).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('can’t be written to'),
  });
  const role = `reader_${live.name}`;
  await live.sql.unsafe(`create role ${role} login password 'geheim'`);
  await mkdir(path.join(folder, 'reader'), { recursive: true });
  const denied = await runCli(
    [
      'backup',
      '--dir',
      path.join(folder, 'reader'),
      '--url',
      live.url.replace('postgres@', `${role}:geheim@`),
    ],
    env(version),
  );
  expect(denied).toMatchObject({ exitCode: 3, stderr: expect.not.stringContaining('geheim') });
  expect(await readdir(path.join(folder, 'reader'))).toEqual([]);
  await live.sql.unsafe(`drop role ${role}`);
});

test.skipIf(findPrograms(15) === undefined)('an older pg_dump is refused before it is started', async () => {
  await using db = await createDatabase(18, 'migrated');
  const done = await runCli(['backup', '--url', db.url], env(15));
  expect(done).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/18 or later are needed; found: pg_dump \(PostgreSQL\) 15/),
  });
});
