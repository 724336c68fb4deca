import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { OperationError } from './errors.ts';

/**
 * Takes an embedded database for this process. PGlite takes no lock itself: of two processes that write to one
 * directory, the second overwrites what the first has committed. Returns what gives it back.
 *
 * The lock is a file beside the directory that holds the process id, so one that a killed process has left is known.
 *
 * @throws OperationError `LOCKED`
 */
export async function lockEmbedded(directory: string): Promise<() => Promise<void>> {
  const file = `${directory.replace(/\/+$/, '')}.lock`;
  const release = (): Promise<void> => rm(file, { force: true });
  if (await create(file)) return release;
  const owner = await readOwner(file);
  if (owner !== undefined && isAlive(owner)) throw inUse(directory, file, owner);
  await clear(file, owner);
  if (await create(file)) return release;
  throw inUse(directory, file, await readOwner(file));
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (readCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away what a process that is gone has left; puts back what another one has just made in its place. */
async function clear(file: string, owner: number | undefined): Promise<void> {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
    if ((await readOwner(aside)) !== owner) await link(aside, file);
  } catch (error) {
    if (readCode(error) !== 'ENOENT' && readCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function readOwner(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user may not be signalled, but is there.
    return readCode(error) === 'EPERM';
  }
}

const readCode = (error: unknown): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;

function inUse(directory: string, file: string, owner: number | undefined): OperationError {
  return new OperationError({
    code: 'LOCKED',
    message: `the embedded database in ${directory} is in use by process ${owner ?? 'unknown'}; nothing was changed`,
    advice: `Only one process at a time may open it. Wait until that one has ended; if it is none of ours, delete ${file}.`,
  });
}
