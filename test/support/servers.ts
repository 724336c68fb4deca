import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { migrate } from './migrations.ts';
import { allServerVersions, type ServerVersion, startServer } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Port of the running server, by major version. */
    serverPorts: Record<ServerVersion, number>;
  }
}

/** Builds the command line, and starts one server of each version, each with a migrated database to copy from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Tests of the command line run it as it is published.
  const built = promisify(execFile)('npm', ['run', '-s', 'build'], { cwd: root });
  const servers = await Promise.all(allServerVersions.map((version) => startServer(version)));
  await built;
  for (const server of servers) {
    const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
    await admin`create database migrated`;
    await admin.end();
    await migrate(server.url('migrated'));
  }
  project.provide('serverPorts', {
    15: portOf(servers, 15),
    18: portOf(servers, 18),
  });
  return async () => {
    await Promise.all(servers.map((server) => server.destroy()));
  };
}

function portOf(
  servers: readonly { version: ServerVersion; port: number }[],
  version: ServerVersion,
): number {
  const server = servers.find((candidate) => candidate.version === version);
  if (server === undefined) throw new Error(`no server ${version}`);
  return server.port;
}
