import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { toLibpqEnvironment } from '../../src/ops/backup/libpq.ts';
import { type Certificates, makeCertificates, switchTlsOn } from '../support/certificates.ts';
import { findPrograms } from '../support/client-programs.ts';
import { startServer, type TestServer } from '../support/server.ts';

const newest = 18;
const run = promisify(execFile);
const programs = findPrograms(newest);

let certificates: Certificates;
let server: TestServer;
beforeAll(async () => {
  [certificates, server] = await Promise.all([makeCertificates(), startServer(newest)]);
  await switchTlsOn(server, certificates);
});
afterAll(async () => {
  await server.destroy();
  await rm(certificates.folder, { recursive: true, force: true });
});

const url = (host: string, query: string): string =>
  `postgres://postgres@${host}:${server.port}/postgres?${query}`;

const askWhetherEncrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

/** Whether each of the two gets in, and encrypted. */
async function connectBoth(target: string): Promise<{ ours: boolean | string; libpq: boolean | string }> {
  const ours = await openConnection(target).then(
    async (connection) => {
      await using _ = connection;
      const [row] = await connection.query<{ ssl: boolean }>(askWhetherEncrypted);
      return row?.ssl ?? 'no row';
    },
    () => 'refused',
  );
  if (programs === undefined) return { ours, libpq: ours };
  const libpq = await run(path.join(programs, 'psql'), ['-XAtc', askWhetherEncrypted], {
    env: toLibpqEnvironment(target),
  }).then(
    ({ stdout }) => stdout.trim() === 't',
    () => 'refused',
  );
  return { ours, libpq };
}

test.each([
  ['localhost', 'sslmode=disable', false],
  ['localhost', 'sslmode=allow', false],
  ['localhost', '', true],
  ['localhost', 'sslmode=require', true],
  ['127.0.0.1', 'sslmode=require', true],
  ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=ROOT', true],
  ['localhost', 'sslmode=verify-ca&sslrootcert=STRANGER', 'refused'],
  ['localhost', 'sslmode=require&sslrootcert=STRANGER', 'refused'],
  ['localhost', 'sslmode=verify-full&sslrootcert=ROOT', true],
  ['localhost', 'sslmode=verify-full&sslrootcert=ROOT&hostaddr=127.0.0.1', true],
  ['127.0.0.1', 'sslmode=verify-full&sslrootcert=ROOT', 'refused'],
  ['localhost', 'sslmode=verify-full&sslrootcert=STRANGER', 'refused'],
  ['localhost', 'sslmode=verify-full&sslrootcert=/no/such/file', 'refused'],
  ['localhost', 'sslmode=verify-full', 'refused'],
  ['localhost', 'sslmode=require&channel_binding=require', 'refused'],
  ['localhost', 'sslmode=require&sslnegotiation=direct', true],
  ['localhost', 'sslmode=require&ssl_min_protocol_version=TLSv1.3', true],
])('%s?%s is the same for our session and for libpq: %s', async (host, query, expected) => {
  const named = query.replace('ROOT', certificates.root).replace('STRANGER', certificates.stranger);
  const hostaddr = /hostaddr=([^&]*)/.exec(named)?.[1];
  const target = url(host, named);
  const { ours, libpq } = await connectBoth(target);
  expect(ours).toBe(expected);
  // An address is an argument of the programs; without it `localhost` leads to the same server.
  expect(libpq, hostaddr).toBe(expected);
});

test('a certificate that is not for this host, or signed by a stranger, is told as that', async () => {
  const wrongHost = url('127.0.0.1', `sslmode=verify-full&sslrootcert=${certificates.root}`);
  await expect(openConnection(wrongHost)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    exitCode: 3,
    message: expect.stringContaining('is not for 127.0.0.1'),
    advice: expect.stringContaining('hostaddr='),
  });
  const stranger = url('localhost', `sslmode=verify-full&sslrootcert=${certificates.stranger}`);
  await expect(openConnection(stranger)).rejects.toMatchObject({
    message: expect.stringMatching(/is not trusted: .*\(\w+\)/),
    advice: expect.stringContaining('sslrootcert=FILE'),
  });
});

test('a second session and a cancel request are encrypted, too', async () => {
  const target = url('localhost', `sslmode=verify-full&sslrootcert=${certificates.root}`);
  await using connection = await openConnection(target);
  await using second = await connection.openSecond();
  expect(await second?.query(askWhetherEncrypted)).toEqual([{ ssl: true }]);
  const sleeping = connection.execute('select pg_sleep(60)').catch((error: unknown) => error);
  for (let isRunning = false; !isRunning; ) {
    const rows = await second?.query(
      `select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`,
      [connection.pid],
    );
    isRunning = rows?.length === 1;
  }
  await connection.cancel();
  expect(await sleeping).toMatchObject({ code: 'INTERRUPTED', sqlState: '57014' });
});

test('a server without SSL says so where the URL asks for it, and is taken where it does not', async () => {
  const plain = `postgres://postgres@127.0.0.1:${inject('serverPorts')[newest]}/postgres`;
  await expect(openConnection(`${plain}?sslmode=require`)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    exitCode: 3,
    isRetryable: false,
    message: expect.stringContaining('the server does not speak SSL'),
    advice: expect.stringContaining('sslmode=disable'),
  });
  await using connection = await openConnection(`${plain}?sslmode=prefer`);
  expect(await connection.query(askWhetherEncrypted)).toEqual([{ ssl: false }]);
});
