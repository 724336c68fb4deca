import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { findSystemIdentifier } from '../../connection/identity.ts';
import type { Backup } from './backup-file.ts';
import { type BackupRecord, readBackup, readRecord } from './backup-record.ts';

/** Which backup will do. */
export interface FreshBackupOptions {
  /** Folder to look in (default `backups`, in the working directory). */
  readonly folder?: string;
  /** How old it may be, ms. Its age counts from when it was begun: later changes are not in it. */
  readonly maxAgeMs: number;
}

/**
 * Finds the latest backup of this very database that is not older than `maxAgeMs` and whose file is what was backed
 * up: size and sha256 are checked, so it reads the file.
 *
 * @example
 * const backup = await findFreshBackup(connection, { maxAgeMs: 24 * 3_600_000 });
 */
export async function findFreshBackup(
  connection: Connection,
  { folder = 'backups', maxAgeMs }: FreshBackupOptions,
): Promise<Backup | undefined> {
  for (const { path: file, record: recorded } of await listRecordedBackups(connection, folder)) {
    if (Date.now() - recorded.startedAtMs > maxAgeMs) return undefined;
    const record = await unlessNone(readBackup(file));
    if (record !== undefined) return { path: file, record };
  }
  return undefined;
}

/** Backups of this very database that a folder has records of, the latest first. Their files are not looked at. */
export async function listRecordedBackups(connection: Connection, folder: string): Promise<Backup[]> {
  const [row] = await connection.query<{ database: string }>('select current_database() as database');
  const identifier = connection.kind === 'server' ? await findSystemIdentifier(connection) : null;
  const isOurs = ({ target, database, systemIdentifier }: BackupRecord): boolean =>
    target === connection.target ||
    (identifier !== null && systemIdentifier === identifier && database === row?.database);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const backups: Backup[] = [];
  for (const name of names) {
    const file = path.join(folder, name.slice(0, -'.json'.length));
    const record = await unlessNone(readRecord(file));
    if (record !== undefined && isOurs(record)) backups.push({ path: file, record });
  }
  return backups.sort((a, b) => b.record.startedAtMs - a.record.startedAtMs);
}

/** Altered, or not ours at all: it is no backup, and the operator hears that none was found. */
async function unlessNone(reading: Promise<BackupRecord>): Promise<BackupRecord | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof OperationError) return undefined;
    throw error;
  });
}

/**
 * The same, or an error: for a migration that must not begin without one.
 *
 * @throws OperationError `REFUSED` with what was looked for and how to make one
 */
export async function requireFreshBackup(
  connection: Connection,
  options: FreshBackupOptions,
): Promise<Backup> {
  const backup = await findFreshBackup(connection, options);
  if (backup !== undefined) return backup;
  throw new OperationError({
    code: 'REFUSED',
    message: `no sound backup of ${connection.target} that is fresh enough was found in ${options.folder ?? 'backups'}; nothing was changed`,
    advice:
      'Run `multi-pair-db backup` first. With a managed service’s snapshot instead, write down its time and leave --require-backup out.',
  });
}
