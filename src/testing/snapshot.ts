import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { openPglite } from '../connection/embedded.ts';
import { OperationError } from '../connection/errors.ts';
import { readMigrationFiles } from '../migrate/history/folder.ts';
import { migrationsFolder } from '../own/migrations.ts';

/** Read once a process: a file of tests makes many databases. */
const snapshots = new Map<string, Promise<Blob>>();

export function defaultCacheFolder(): string {
  const modules = path.resolve('node_modules');
  if (existsSync(modules)) return path.join(modules, '.cache', 'multi-pair-db');
  return path.join(tmpdir(), `multi-pair-db-${userInfo().username}`);
}

/** A PGlite in memory with all migrations applied, from the snapshot in a folder. */
export async function loadMigrated(folder: string): Promise<PGlite> {
  const file = path.join(folder, `${await fingerprint()}.tar`);
  const snapshot = snapshots.get(file) ?? remember(file, readSnapshot(file));
  try {
    return (await openPglite({ dump: await snapshot })).client;
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== 'FILE_INVALID') throw error;
    // Cut short, or of another version of PGlite.
    return (await openPglite({ dump: await remember(file, makeSnapshot(file)) })).client;
  }
}

/** For the next call. Not so a failure: that tries again. */
function remember(file: string, snapshot: Promise<Blob>): Promise<Blob> {
  snapshots.set(file, snapshot);
  snapshot.catch(() => snapshots.delete(file));
  return snapshot;
}

/** The migrations that are in it: another release has another snapshot. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const migration of await readMigrationFiles(migrationsFolder)) hash.update(migration.hash);
  return hash.digest('hex').slice(0, 16);
}

async function readSnapshot(file: string): Promise<Blob> {
  return existsSync(file) ? new Blob([await readFile(file)]) : makeSnapshot(file);
}

async function makeSnapshot(file: string): Promise<Blob> {
  // The engine is loaded only when it is needed: a test that finds a snapshot starts sooner.
  const { applyMigrations } = await import('../own/index.ts');
  const { client, connection } = await openPglite({});
  await using _ = connection;
  await applyMigrations(connection);
  const dump = await client.dumpDataDir('none');
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  // Whole or not at all: another process may read it at this moment.
  const unfinished = `${file}.${randomUUID()}`;
  try {
    await writeFile(unfinished, Buffer.from(await dump.arrayBuffer()));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return dump;
}
