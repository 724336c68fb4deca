import type { TestProject } from 'vitest/node';
import pglite from './pglite.ts';
import { startServers } from './servers.ts';

/** What the tests on Drizzle 1.0 need: embedded databases and one server. They run nothing that is built. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [stop, remove] = await Promise.all([startServers(project, [18]), pglite(project)]);
  return async () => {
    await Promise.all([stop(), remove()]);
  };
}
