import { readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { openPglite } from '../../connection/embedded.ts';
import { lockEmbedded } from '../../connection/embedded-lock.ts';
import { OperationError } from '../../connection/errors.ts';
import { throwIfAborted } from '../../connection/session.ts';
import { toFileError } from './backup-file.ts';
import type { BackupRecord } from './backup-record.ts';
import { compareRows, compareState, type RestoreOptions, type RestoreReport } from './restore-report.ts';
import { dropPause } from './restored-pause.ts';
import { countRows, listTables } from './row-counts.ts';

/**
 * Restores PGlite's dump into a folder. It is loaded, counted and verified in a folder beside, and takes the place of the
 * one that is in the way only then: that one is renamed, not deleted, with all that is in it, and a dump that can't be
 * loaded leaves it where it is.
 */
export async function restoreEmbedded(
  file: string,
  record: BackupRecord,
  directory: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const place = path.resolve(directory);
  const inTheWay = (await readdir(place).catch(() => [])).length > 0;
  if (inTheWay && options.confirm !== path.basename(place)) {
    throw new OperationError({
      code: 'REFUSED',
      message: `the folder ${directory} is not empty; nothing was changed`,
      advice: `Restore into an empty folder, or replace this one with --confirm ${path.basename(place)}; it is then renamed, not deleted.`,
    });
  }
  // Not while another process works in it, and none may begin meanwhile.
  const release = await lockEmbedded(place);
  const draft = `${place}.restoring-${process.pid}`;
  try {
    const report = await load(file, record, draft, options);
    throwIfAborted(options.signal, 'nothing was changed');
    const movedAside = inTheWay ? `${place}.replaced-${Date.now()}` : undefined;
    await takePlace(draft, place, movedAside);
    return {
      ...report,
      target: `pglite:${directory}`,
      ...(movedAside === undefined ? {} : { movedAside }),
    };
  } catch (cause) {
    throw toFileError(cause, directory);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await release();
  }
}

async function load(
  file: string,
  record: BackupRecord,
  draft: string,
  { onPhase, verify }: RestoreOptions,
): Promise<RestoreReport> {
  onPhase?.(`loading ${file} …`);
  const opened = await openPglite({ directory: draft, dump: new Blob([await readFile(file)]) });
  await using connection = opened.connection;
  const pauses = await dropPause(connection);
  onPhase?.('counting rows …');
  const found = await countRows(connection, await listTables(connection));
  onPhase?.('verifying …');
  const compared = await compareState(connection, record);
  const verification = await verify?.(connection, compared.state.applied);
  return {
    target: connection.target,
    record,
    ...compareRows(record, found),
    ...compared,
    verification,
    ...pauses,
  };
}

/** Two renames: between them a process that is killed leaves the old one under its new name, and nothing lost. */
async function takePlace(draft: string, place: string, movedAside: string | undefined): Promise<void> {
  if (movedAside !== undefined) await rename(place, movedAside);
  try {
    await rename(draft, place);
  } catch (cause) {
    if (movedAside !== undefined) await rename(movedAside, place);
    throw cause;
  }
}
