import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findOwner } from '../../support/binaries.ts';

const run = promisify(execFile);

/** A file system of its own, small enough to be filled: the database stands on it, and the WAL does not. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string;
  /** Leaves so many bytes free. */
  fill(freeBytes: number): Promise<void>;
  /** Frees what was filled. */
  empty(): Promise<void>;
}

const sizeMegabytes = 768;

/** Mounts it, which takes root; undefined where that can't be had. */
export async function mountSmallDisk(): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-disk-'));
  const owner = await findOwner();
  const rights = `mode=700,uid=${owner.uid ?? process.getuid?.()},gid=${owner.gid ?? process.getgid?.()}`;
  const mounted = await run('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${sizeMegabytes}m,${rights}`,
    'tmpfs',
    folder,
  ]).then(
    () => true,
    () => false,
  );
  if (!mounted) {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  const filler = path.join(folder, 'filler');
  const empty = (): Promise<void> => rm(filler, { force: true });
  return {
    folder,
    fill: async (freeBytes) => {
      const { bavail, bsize } = await statfs(folder);
      await writeZeros(filler, bavail * bsize - freeBytes);
    },
    empty,
    [Symbol.asyncDispose]: async () => {
      await empty();
      await run('umount', [folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeZeros(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'a');
  const zeros = Buffer.alloc(4 * 1024 * 1024);
  try {
    for (let left = bytes; left > 0; left -= zeros.length)
      await handle.write(zeros, 0, Math.min(left, zeros.length));
  } catch (error) {
    // The database grows meanwhile, and was quicker: full is full.
    if (!(error instanceof Error && Reflect.get(error, 'code') === 'ENOSPC')) throw error;
  } finally {
    await handle.close();
  }
}
