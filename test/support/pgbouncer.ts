import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { until } from './waiting.ts';

/** Is pgbouncer installed? Tests that need it skip visibly where it is not. */
export const hasPgbouncer = spawnSync('pgbouncer', ['--version']).status === 0;

export interface TestPooler extends AsyncDisposable {
  url(database: string): string;
}

/** Starts a pgbouncer in front of a server. Use it with `await using`. */
export async function startPgbouncer(
  serverPort: number,
  mode: 'session' | 'transaction' | 'statement',
  poolSize = 5,
): Promise<TestPooler> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-pgbouncer-'));
  await chmod(home, 0o755);
  const port = await findFreePort();
  const config = path.join(home, 'pgbouncer.ini');
  await writeFile(
    config,
    `[databases]
* = host=127.0.0.1 port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
auth_user = postgres
pool_mode = ${mode}
default_pool_size = ${poolSize}
ignore_startup_parameters = extra_float_digits
`.replace('* = host', '* = user=postgres host'),
  );
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['--user=nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...user, config], { stdio: 'ignore' });
  const url = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  await until(async () => {
    const sql = postgres(url('postgres'), { max: 1, prepare: false, fetch_types: false, onnotice: () => {} });
    const isUp = await sql`select 1`.simple().then(
      () => true,
      () => false,
    );
    await sql.end();
    return isUp;
  }, 'pgbouncer answers');
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
