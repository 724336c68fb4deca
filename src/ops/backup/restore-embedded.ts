import { readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { openPglite } from '../../connection/embedded.ts';
import { lockEmbedded } from '../../connection/embedded-lock.ts';
import { OperationError } from '../../connection/errors.ts';
import { toFileError } from './backup-file.ts';
import type { BackupRecord } from './backup-record.ts';
import { compareRows, type RestoreOptions, type RestoreReport } from './restore-report.ts';

/** Restores PGlite's dump into a folder. One that is in the way is renamed, not deleted. */
export async function restoreEmbedded(
  file: string,
  record: BackupRecord,
  directory: string,
  { confirm, onProgress, verify }: RestoreOptions,
): Promise<RestoreReport> {
  const inTheWay = (await readdir(directory).catch(() => [])).length > 0;
  if (inTheWay && confirm !== path.basename(path.resolve(directory))) {
    throw new OperationError({
      code: 'REFUSED',
      message: `the folder ${directory} is not empty; nothing was changed`,
      advice: `Restore into an empty folder, or replace this one with --confirm ${path.basename(path.resolve(directory))}; it is then renamed, not deleted.`,
    });
  }
  const movedAside = inTheWay ? `${path.resolve(directory)}.replaced-${Date.now()}` : undefined;
  if (movedAside !== undefined) {
    // Not while another process works in it.
    await (await lockEmbedded(directory))();
    await rename(directory, movedAside).catch((cause: unknown) => {
      throw toFileError(cause, directory);
    });
  }
  onProgress?.(`loading into ${directory} …`);
  const opened = await openPglite({ directory, dump: new Blob([await readFile(file)]) });
  await using connection = opened.connection;
  const { complete, differences } = await compareRows(connection, record);
  return {
    target: connection.target,
    record,
    complete,
    differences,
    verification: await verify?.(connection),
    ...(movedAside === undefined ? {} : { movedAside }),
  };
}
