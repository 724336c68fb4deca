import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { backupDatabase } from '../../src/ops/backup/backup.ts';
import { toLibpqEnvironment } from '../../src/ops/backup/libpq.ts';
import { restoreBackup } from '../../src/ops/backup/restore.ts';
import { findPrograms } from '../support/client-programs.ts';
import { startEndpoint } from '../support/endpoints.ts';
import { startServer, type TestServer } from '../support/server.ts';

const newest = 18;
const programs = findPrograms(newest);
const whoAmI = "select current_user || ' ' || current_database() || ' ' || current_setting('search_path')";

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mpdb-'));
  await chmod(folder, 0o777);
  server = await startServer(newest, { unix_socket_directories: folder });
  await using connection = await openConnection(server.url('postgres'));
  await connection.execute(
    `set password_encryption = 'scram-sha-256'; create role guest login password 'pass:w\\ord'; create schema "Trading"`,
  );
  // Over TCP the guest needs the password; the socket lets everybody in.
  const [row] = await connection.query<{ file: string }>("select current_setting('hba_file') as file");
  const { uid, gid } = await stat(row?.file ?? '');
  await writeFile(
    row?.file ?? '',
    'local all all trust\nhost all guest all scram-sha-256\nhost all all all trust\n',
  );
  expect(await stat(row?.file ?? '')).toMatchObject({ uid, gid });
  await connection.execute('select pg_reload_conf()');
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await server.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** What our session and psql each say about where they are. */
async function ask(url: string): Promise<string[]> {
  await using connection = await openConnection(url);
  const [row] = await connection.query<{ answer: string }>(`${whoAmI} as answer`);
  const ours = row?.answer ?? '';
  if (programs === undefined) return [ours, ours];
  const { stdout } = await promisify(execFile)(path.join(programs, 'psql'), ['-XAtc', whoAmI], {
    env: toLibpqEnvironment(url, connection.endpoint),
  });
  return [ours, stdout.trim()];
}

const both = (answer: string): string[] => [answer, answer];

test('a socket, in the host or in the query, is the same for our session and for psql', async () => {
  const encoded = encodeURIComponent(folder);
  const usual = both('postgres postgres "$user", public');
  expect(await ask(`postgres://postgres@${encoded}:${server.port}/postgres`)).toEqual(usual);
  expect(await ask(`postgres:///postgres?host=${folder}&port=${server.port}&user=postgres`)).toEqual(usual);
  // sslmode says nothing about a socket.
  expect(await ask(`postgres://postgres@${encoded}:${server.port}/postgres?sslmode=require`)).toEqual(usual);
  vi.stubEnv('PGHOST', folder);
  vi.stubEnv('PGPORT', String(server.port));
  expect(await ask('postgres://postgres@/postgres')).toEqual(usual);
});

test('schema, options and settings are the same for both', async () => {
  const url = `${server.url('postgres')}?sslmode=prefer&pgbouncer=true&connection_limit=1`;
  expect(await ask(`${url}&schema=Trading`)).toEqual(both('postgres postgres "Trading"'));
  expect(await ask(`${url}&options=-c%20search_path%3Dpg_catalog`)).toEqual(
    both('postgres postgres pg_catalog'),
  );
});

test('a password comes from the password file, where nobody gives one', async () => {
  const file = path.join(folder, 'pgpass');
  await writeFile(file, `*:${server.port}:postgres:guest:pass\\:w\\\\ord\n`);
  await chmod(file, 0o600);
  const url = `postgres://guest@127.0.0.1:${server.port}/postgres`;
  expect(await ask(`${url}?passfile=${encodeURIComponent(file)}`)).toEqual(
    both('guest postgres "$user", public'),
  );
  vi.stubEnv('PGPASSFILE', file);
  expect(await ask(url)).toEqual(both('guest postgres "$user", public'));
  const wrong = await openConnection(url.replace('guest@', 'guest:SECRET@')).catch((error: unknown) => error);
  expect(wrong).toMatchObject({
    code: 'AUTHENTICATION_FAILED',
    exitCode: 3,
    sqlState: '28P01',
    message: expect.stringContaining('the role guest'),
  });
  expect(JSON.stringify(wrong)).not.toMatch(/SECRET|w\\+ord/);
});

test('of several hosts, the first that is there and of the kind that is asked for', async () => {
  await using closing = await startEndpoint('closes at once');
  const hosts = `127.0.0.1:${closing.port},127.0.0.1:${server.port}`;
  for (const attributes of ['any', 'read-write', 'primary', 'prefer-standby']) {
    const url = `postgres://postgres@${hosts}/postgres?target_session_attrs=${attributes}`;
    expect(await ask(url), attributes).toEqual(both('postgres postgres "$user", public'));
  }
  const standby = `postgres://postgres@127.0.0.1:${server.port}/postgres?target_session_attrs=standby`;
  await expect(openConnection(standby)).rejects.toMatchObject({
    code: 'READ_ONLY',
    exitCode: 4,
    message: expect.stringContaining('target_session_attrs=standby'),
  });
  // From the environment, the driver would read it by itself, and try for ever.
  vi.stubEnv('PGTARGETSESSIONATTRS', 'primary');
  expect(await ask(server.url('postgres'))).toEqual(both('postgres postgres "$user", public'));
});

test.skipIf(programs === undefined)(
  'backup and restore take a URL as an ORM and an operator write it',
  async () => {
    vi.stubEnv('PG_BIN', programs);
    const query =
      'schema=public&pgbouncer=true&pool_timeout=1&hostaddr=127.0.0.1&keepalives_idle=30&channel_binding=prefer';
    const url = `postgres://postgres@localhost:${server.port}/origin?${query}`;
    await using admin = await openConnection(server.url('postgres'));
    await admin.execute('create database origin');
    {
      await using connection = await openConnection(url);
      await connection.execute('create table kept (a int); insert into kept values (1), (2)');
    }
    const { path: file } = await backupDatabase(url, { folder });
    const { complete, target } = await restoreBackup(file, url, { into: 'copy' });
    expect({ complete, target }).toEqual({ complete: true, target: `localhost:${server.port}/copy` });
  },
);
