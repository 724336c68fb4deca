import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { OperationError } from '../../connection/errors.ts';
import { type BackupRecord, hashFile, recordFile } from './backup-record.ts';

/** What is known of a backup before its file is. */
export type BackupFacts = Omit<BackupRecord, 'file' | 'endedAtMs' | 'sizeBytes' | 'sha256'>;

/** Where a backup is, and what is known about it. */
export interface Backup {
  readonly path: string;
  readonly record: BackupRecord;
}

/** `trading-20240809T010203Z.dump`: sorts by time; a database's name may hold what a file's may not. */
export function nameBackup(database: string, startedAtMs: number, ending: string): string {
  const instant = new Date(startedAtMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${database.replace(/[^\w.-]+/g, '_')}-${instant}${ending}`;
}

/** A dump holds every row, also of tables that most users of the machine may not read in the database. */
const ownerOnly = { file: 0o600, folder: 0o700 };

/**
 * Has `write` make the file under another name, and gives it its own only when it is whole and checked and on the
 * disk: what bears the name of a backup is one. Whatever fails, nothing is left behind.
 */
export async function storeBackup(
  folder: string,
  name: string,
  write: (partial: string) => Promise<BackupFacts>,
): Promise<Backup> {
  const target = await claimName(folder, name);
  const partial = `${target}.partial`;
  const partialRecord = `${recordFile(target)}.partial`;
  try {
    const facts = await write(partial);
    const [{ size }, sha256] = [await stat(partial), await hashFile(partial)];
    const record: BackupRecord = {
      file: path.basename(target),
      ...facts,
      endedAtMs: Date.now(),
      sizeBytes: size,
      sha256,
    };
    await writeSynced(partialRecord, `${JSON.stringify(record, null, 2)}\n`);
    await rename(partial, target);
    await rename(partialRecord, recordFile(target));
    return { path: target, record };
  } catch (cause) {
    throw toFileError(cause, folder);
  } finally {
    await Promise.all([partial, partialRecord].map((file) => rm(file, { force: true }).catch(() => {})));
  }
}

/** Of one second, and the files that killed runs have left. */
const mostOfOneName = 1_000;

/**
 * A name that no backup has: of two in one second the later is `…-2.dump`. It makes the unfinished file, before pg_dump
 * opens it, which would leave the mode to the umask: nobody reads along while it is written.
 */
async function claimName(folder: string, name: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: ownerOnly.folder });
    const [, stem = name, ending = ''] = /^(.*?)(\.pglite\.tar\.gz|\.dump)$/.exec(name) ?? [];
    for (let number = 1; number <= mostOfOneName; number++) {
      const target = path.join(folder, `${stem}${number === 1 ? '' : `-${number}`}${ending}`);
      if (existsSync(target) || existsSync(`${target}.partial`)) continue;
      if (await writeSynced(`${target}.partial`, '', 'wx').then(() => true, falseIfTaken)) return target;
    }
  } catch (cause) {
    throw toFileError(cause, folder);
  }
  throw new OperationError({
    code: 'REFUSED',
    message: `${path.join(folder, name)} is there already, ${mostOfOneName} times`,
    advice: 'Backups are named by the second. Run the same command again.',
  });
}

/** Another process was quicker; whatever else is wrong is an error. */
function falseIfTaken(cause: unknown): false {
  if (cause instanceof Error && Reflect.get(cause, 'code') === 'EEXIST') return false;
  throw cause;
}

/** Writes a file that is on the disk when it returns, and that only its owner may read. */
export async function writeSynced(
  file: string,
  content: string | Uint8Array,
  flags: 'w' | 'wx' = 'w',
): Promise<void> {
  const handle = await open(file, flags, ownerOnly.file);
  try {
    // The mode above is for a new file only.
    await handle.chmod(ownerOnly.file);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A fault of the file system, as what it means to an operator. */
export function toFileError(cause: unknown, folder: string): unknown {
  if (!(cause instanceof Error) || cause instanceof OperationError) return cause;
  const code: unknown = Reflect.get(cause, 'code');
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new OperationError({
      code: 'OUT_OF_SPACE',
      message: `no room in ${folder}`,
      advice: 'Make room there, or choose another folder. Nothing was left behind.',
    });
  }
  if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return cause;
  return new OperationError({
    code: 'FILE_INVALID',
    message: `${folder} can’t be written to (${code})`,
    advice: 'Give this user the right to write there, or choose another folder.',
  });
}
