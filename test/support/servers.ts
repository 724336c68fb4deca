import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { buildOnce } from './build.ts';
import { migrate } from './migrations.ts';
import { allServerVersions, type ServerVersion, startServer } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Port of the running server, by major version; 0 where none was started for this run. */
    serverPorts: Record<ServerVersion, number>;
  }
}

/**
 * Builds the command line, because its tests run it as it is published, and starts the servers of a vitest project, each with
 * a migrated database to copy from: its own version, and the oldest and the newest besides, because some tests are about
 * one of them.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const built = buildOnce();
  // A project's `env` is what its tests see; this runs before them, in the process of vitest itself.
  const wanted = ['15', '18', project.config.env?.['TEST_POSTGRES']];
  const stop = await startServers(
    project,
    allServerVersions.filter((version) => wanted.includes(String(version))),
  );
  await built;
  return stop;
}

/** Starts servers of these versions, each with a migrated database to copy from; gives what stops them. */
export async function startServers(
  project: TestProject,
  versions: readonly ServerVersion[],
): Promise<() => Promise<void>> {
  const servers = await Promise.all(versions.map((version) => startServer(version)));
  for (const server of servers) {
    const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
    await admin`create database migrated`;
    await admin.end();
    await migrate(server.url('migrated'));
  }
  const portOf = (version: ServerVersion): number =>
    servers.find((server) => server.version === version)?.port ?? 0;
  project.provide('serverPorts', { 15: portOf(15), 16: portOf(16), 17: portOf(17), 18: portOf(18) });
  return async () => {
    await Promise.all(servers.map((server) => server.destroy()));
  };
}
