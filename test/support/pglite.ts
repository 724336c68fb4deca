import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { createTestDatabase } from '../../src/testing/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder with an embedded database of each state, dumped. */
    embeddedDumps: string;
  }
}

/** Makes an embedded database of each state once for the run: to load one takes a sixth of the time to make one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-dumps-'));
  const empty = await PGlite.create();
  await writeFile(path.join(folder, 'empty'), await dumpOf(empty).then((dump) => dump.bytes()));
  await empty.close();
  await (await createTestDatabase({ cacheFolder: folder })).close();
  project.provide('embeddedDumps', folder);
  return () => rm(folder, { recursive: true, force: true });
}

/** An embedded database of a test file's own, `empty` or `migrated`: in memory, or in a new directory. */
export async function createPglite(state: 'empty' | 'migrated', directory?: string): Promise<PGlite> {
  if (state === 'empty') {
    const loadDataDir = new Blob([await readFile(path.join(inject('embeddedDumps'), state))]);
    return PGlite.create(directory === undefined ? { loadDataDir } : { dataDir: directory, loadDataDir });
  }
  const { client } = await createTestDatabase({ cacheFolder: inject('embeddedDumps') });
  if (directory === undefined) return client;
  const loadDataDir = await dumpOf(client);
  await client.close();
  return PGlite.create({ dataDir: directory, loadDataDir });
}

const dumpOf = (client: PGlite) => client.dumpDataDir('none');
