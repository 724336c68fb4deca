import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { migratePglite } from './migrations.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder with an embedded database of each state, dumped. */
    embeddedDumps: string;
  }
}

/** Makes an embedded database of each state once for the run: to load one takes a sixth of the time to make one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-dumps-'));
  const client = await PGlite.create();
  const dump = async (state: 'empty' | 'migrated') =>
    writeFile(path.join(folder, state), await (await client.dumpDataDir('none')).bytes());
  await dump('empty');
  await migratePglite(client);
  await dump('migrated');
  await client.close();
  project.provide('embeddedDumps', folder);
  return () => rm(folder, { recursive: true, force: true });
}

/** An embedded database of a test file's own, `empty` or `migrated`: in memory, or in a new directory. */
export async function createPglite(state: 'empty' | 'migrated', directory?: string): Promise<PGlite> {
  const dump = await readFile(path.join(inject('embeddedDumps'), state));
  const loadDataDir = new Blob([dump]);
  return PGlite.create(directory === undefined ? { loadDataDir } : { dataDir: directory, loadDataDir });
}
