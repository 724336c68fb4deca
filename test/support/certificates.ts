import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { TestServer } from './server.ts';
import { until } from './waiting.ts';

const run = promisify(execFile);

/** Files for one authority, and a server's certificate that it has signed, for `localhost` alone. */
export interface Certificates {
  readonly folder: string;
  readonly root: string;
  /** An authority that has signed nothing here. */
  readonly stranger: string;
  readonly certificate: string;
  readonly key: string;
}

export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-tls-'));
  await chmod(folder, 0o755);
  const file = (name: string): string => path.join(folder, name);
  const make = (name: string, ...args: string[]) =>
    run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.crt`),
      ...args,
    ]);
  await Promise.all([make('root', '-subj', '/CN=test root'), make('stranger', '-subj', '/CN=stranger')]);
  await make(
    'server',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-CA',
    file('root.crt'),
    '-CAkey',
    file('root.key'),
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  );
  return {
    folder,
    root: file('root.crt'),
    stranger: file('stranger.crt'),
    certificate: file('server.crt'),
    key: file('server.key'),
  };
}

/** Has a running server speak TLS. */
export async function switchTlsOn(server: TestServer, { certificate, key }: Certificates): Promise<void> {
  const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
  const [row] = await sql`select current_setting('data_directory') as folder`;
  const { uid, gid } = await stat(String(row?.['folder']));
  await chmod(key, 0o600);
  await chown(key, uid, gid);
  for (const [name, value] of Object.entries({ ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key }))
    await sql.unsafe(`alter system set ${name} = '${value}'`);
  await sql`select pg_reload_conf()`;
  await until(async () => {
    // Only a new session sees it.
    const probe = postgres(server.url('postgres'), {
      max: 1,
      ssl: 'require',
      onnotice: () => {},
      connect_timeout: 2,
    });
    const isOn = await probe`select 1`.then(
      () => true,
      () => false,
    );
    await probe.end({ timeout: 0 });
    return isOn;
  }, 'the server speaks TLS');
  await sql.end();
}
