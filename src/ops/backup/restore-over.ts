import { randomUUID } from 'node:crypto';
import {
  type ConnectedSession,
  endConnected,
  type IsOurs,
  refuseConnected,
} from '../../connection/connected.ts';
import { readPause } from '../../migrate/pause.ts';
import { takeLock } from '../../migrate/run/lock.ts';
import { backupDatabase } from './backup.ts';
import { refuseDependents } from './dependents.ts';
import { type Door, findDoor } from './door.ts';
import { refuseHeld } from './restore-checks.ts';
import { type RestoreJob, toPsqlOptions } from './restore-job.ts';
import type { RestoreReport } from './restore-report.ts';
import { clearSql, lockSql } from './restore-sql.ts';
import { beginRestore, type RestoreTransaction, settled } from './restore-transaction.ts';
import { workOff } from './restore-work.ts';
import { startWatch } from './watch.ts';

/** A migration that has just ended holds its lock for a moment longer. */
const lockWaitMs = 2_000;

/**
 * Restores over what is there: alone, and after a backup of it.
 *
 * From the first lock on nobody can write to the tables, so that the backup holds all that was ever committed to them.
 * The database takes new sessions again when all is verified.
 */
export async function restoreOver(job: RestoreJob): Promise<RestoreReport> {
  const { connection, into, options, replaced, list } = job;
  await refuseDependents(connection, replaced.tables, list);
  const pids = new Set([connection.pid]);
  // A program of ours is known from the moment it connects, also before it could say which one it is.
  const name = `multi-pair-db restore ${randomUUID().slice(0, 8)}`;
  let isSaving = false;
  // The sessions of our own backup have this name. Others of this name can do no harm under the lock.
  const isOurs: IsOurs = ({ pid, application }) =>
    pids.has(pid) || application === name || (isSaving && application === 'multi-pair-db');
  const disconnected = await beAlone(job, isOurs);
  await refuseHeld(connection, replaced.tables);
  await takeLock(connection, { lockWaitMs, signal: options.signal });
  const psql = await toPsqlOptions(job, name);
  const door = await findDoor({ connection, url: into, psql });
  // Nothing may fail between the two: a psql that nobody ends waits for its input, and this process for it.
  const transaction = await beginRestore(psql);
  return settled(connection, transaction, door, async () => {
    await using watch = options.disconnect === true ? await startWatch(into, isOurs) : undefined;
    if (watch !== undefined) pids.add(watch.pid);
    await transaction.psql.ask(lockSql(replaced.tables, 'exclusive'));
    isSaving = true;
    const saved = await save(job);
    isSaving = false;
    await closeDoor(job, door, transaction.pid, isOurs);
    const report = await clearAndRestore(job, transaction, async () => {
      watch?.check();
      if (watch === undefined) await refuseConnected(connection, isOurs, advice);
    });
    const ended = [...disconnected, ...(watch?.ended ?? [])];
    return { ...report, ...saved, ...(ended.length === 0 ? {} : { disconnected: ended }) };
  });
}

const advice =
  'Stop these services, then run the same command again; with --disconnect it ends these sessions, and keeps new ones out until it has ended.';

async function beAlone({ connection, options }: RestoreJob, isOurs: IsOurs): Promise<ConnectedSession[]> {
  if (options.disconnect === true) {
    options.onPhase?.('ending the sessions of others …');
    return endConnected(connection, isOurs);
  }
  await refuseConnected(connection, isOurs, advice);
  return [];
}

/** Where none of our tables is here, a backup of tables has nothing to save. */
async function save({
  record,
  into,
  options,
  replaced,
}: RestoreJob): Promise<Pick<RestoreReport, 'safetyBackup'>> {
  const { safetyBackup = true, folder, signal, onProgress, onPhase } = options;
  if (!safetyBackup || (record.scope === 'tables' && replaced.own.length === 0)) return {};
  onPhase?.('backing up what is replaced …');
  const { path, record: saved } = await backupDatabase(into, {
    scope: record.scope,
    label: 'before-restore',
    signal,
    onProgress,
    ...(folder === undefined ? {} : { folder }),
  });
  onPhase?.(`  it is in ${path}`);
  return { safetyBackup: { path, sha256: saved.sha256 } };
}

async function closeDoor(
  { connection, options }: RestoreJob,
  door: Door,
  pid: number,
  isOurs: IsOurs,
): Promise<void> {
  const state = await door.close(pid);
  if (state === 'open') {
    options.onPhase?.(
      options.disconnect === true
        ? 'this role does not own the database: new sessions can’t be kept out, and are ended within 0.1 s'
        : 'this role does not own the database: new sessions can’t be kept out; if one comes, the restore is taken back',
    );
  } else {
    options.onPhase?.(
      `new sessions are kept out until it has ended; if this machine fails meanwhile: ${door.putBack};`,
    );
  }
  // Those that came meanwhile.
  if (options.disconnect === true) await endConnected(connection, isOurs);
  else await refuseConnected(connection, isOurs, advice);
}

async function clearAndRestore(
  job: RestoreJob,
  transaction: RestoreTransaction,
  beforeCommit: () => Promise<void>,
): Promise<RestoreReport> {
  const { connection, replaced, list } = job;
  // Nobody can write to its table any more, and this session can still read it.
  const standing = await readPause(connection);
  await transaction.psql.ask(lockSql(replaced.tables, 'access exclusive'));
  // Asked again, now that nobody can add to it.
  await refuseDependents(connection, replaced.tables, list);
  await transaction.psql.ask(clearSql(replaced));
  return workOff(job, transaction, standing, beforeCommit);
}
