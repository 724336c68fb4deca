import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { OperationError } from '../../connection/errors.ts';
import { type BackupState, isState } from './backup-state.ts';

/** What is known about a backup: the JSON beside it, `FILE.json`. */
export interface BackupRecord {
  /** Name of the file that it speaks of, without its folder. */
  readonly file: string;
  readonly kind: 'server' | 'embedded';
  /** The whole database, or the three tables and the journal. */
  readonly scope: 'database' | 'tables';
  /** Host, port and database, or the embedded directory. */
  readonly target: string;
  readonly database: string;
  /** The cluster's own id, where the role may read it: the same server under another name is the same server. */
  readonly systemIdentifier: string | null;
  /** `server_version_num` */
  readonly versionNumber: number;
  /** What made it: `pg_dump (PostgreSQL) 18.0`, `PGlite`. */
  readonly program: string;
  /** Epoch ms. The backup holds what was committed before this instant. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Rows by table, in the very snapshot that the backup was made from. */
  readonly rows: Readonly<Record<string, number>>;
  /** SQL that the tables need and a dump of tables does not hold: schemas, functions of triggers. */
  readonly prerequisites: readonly string[];
  /** SQL that gives the prerequisites to their owners again; not with `--no-owner`. Older backups lack it. */
  readonly ownership?: readonly string[];
  /** What state of the migrations it is of. Older backups do not say it. */
  readonly state?: BackupState;
}

export const recordFile = (file: string): string => `${file}.json`;

/** sha256 of a file, as hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Reads the record of a backup and checks the file against it.
 *
 * @throws OperationError `FILE_INVALID` where the file or its record is missing or is none; `REFUSED` where the file
 *   is not what was backed up
 */
export async function readBackup(file: string): Promise<BackupRecord> {
  const record = await readRecord(file);
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) throw invalid(file, 'can’t be read');
  if (size !== record.sizeBytes) {
    throw altered(file, `it has ${size} bytes, and ${record.sizeBytes} were backed up`);
  }
  const hash = await hashFile(file);
  if (hash !== record.sha256) throw altered(file, 'its sha256 is another');
  return record;
}

/**
 * Reads the record of a backup, and not the file.
 *
 * @throws OperationError `FILE_INVALID` where there is none, or it is no record
 */
export async function readRecord(file: string): Promise<BackupRecord> {
  const name = recordFile(file);
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(name, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw invalid(name, 'is no JSON');
    throw invalid(file, `is no backup of this program: there is no ${path.basename(name)} beside it`);
  }
  if (!isRecord(parsed)) throw invalid(name, 'is no record of a backup');
  return parsed;
}

const texts = ['file', 'kind', 'scope', 'target', 'database', 'program', 'sha256'] as const;
const numbers = ['versionNumber', 'startedAtMs', 'endedAtMs', 'sizeBytes'] as const;

export function isRecord(value: unknown): value is BackupRecord {
  if (typeof value !== 'object' || value === null) return false;
  const get = (name: string): unknown => Reflect.get(value, name);
  const isTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((entry) => typeof entry === 'string');
  const [rows, state] = [get('rows'), get('state')];
  return (
    texts.every((name) => typeof get(name) === 'string') &&
    (get('kind') === 'server' || get('kind') === 'embedded') &&
    (get('scope') === 'database' || get('scope') === 'tables') &&
    numbers.every((name) => typeof get(name) === 'number') &&
    typeof rows === 'object' &&
    rows !== null &&
    Object.values(rows).every((count) => typeof count === 'number') &&
    isTexts(get('prerequisites')) &&
    (get('ownership') === undefined || isTexts(get('ownership'))) &&
    (state === undefined || isState(state))
  );
}

function invalid(file: string, fault: string): OperationError {
  return new OperationError({
    code: 'FILE_INVALID',
    message: `${file} ${fault}`,
    advice:
      'Name a file that `multi-pair-db backup` has made, with its .json beside it. Nothing was changed.',
    file,
  });
}

function altered(file: string, fault: string): OperationError {
  return new OperationError({
    code: 'REFUSED',
    message: `${file} is not what was backed up: ${fault}`,
    advice: 'It was cut off or altered. Take another copy or another backup. Nothing was changed.',
    file,
  });
}
