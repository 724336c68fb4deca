import { OperationError } from '../../connection/errors.ts';
import type { DatabaseIdentity } from '../../connection/identity.ts';
import type { DescribedPlan } from './describe.ts';
import type { Fingerprint } from './fingerprint.ts';
import { isPlanRehearsal, isTableOfPlan, type PlanRehearsal } from './rehearsal.ts';
import { isListOf, isObject, isText, isTextOrNull } from './shape.ts';

/** A plan that was written down, to be run later or not at all: what it was made from, so that a drift is found. */
export interface SavedPlan {
  readonly format: typeof format;
  readonly createdAtMs: number;
  /** Host, port and database, or the embedded directory. */
  readonly target: string;
  readonly database: DatabaseIdentity;
  /** `server_version_num` */
  readonly versionNumber: number;
  /** Release of this package that made it; null where a program did. */
  readonly release: string | null;
  /** The last file to apply, as it was asked for; null: all that are pending. */
  readonly upTo: string | null;
  /** Tags that were applied already. */
  readonly applied: readonly string[];
  /** What is run, in order. */
  readonly files: readonly SavedFile[];
  /** What the tables were, object by object, each as a hash. */
  readonly catalog: Fingerprint;
  /** What its files make of them: a run that was stopped half way is known by it, and finished. */
  readonly makes: Fingerprint;
  readonly tables: readonly SavedTable[];
  /** What a rehearsal has measured; left out where there was none. */
  readonly rehearsal?: PlanRehearsal;
}

/** A file of a plan, as it was. */
export interface SavedFile {
  readonly tag: string;
  readonly file: string;
  /** sha256 of the file. */
  readonly hash: string;
  readonly isRepair: boolean;
  /** Estimates, as the plan showed them. */
  readonly estimatedMs: number;
  readonly diskBytes: number;
  readonly walBytes: number;
}

/** A table of a plan, as large as it was. */
export interface SavedTable {
  readonly table: string;
  /** Null: it was not there. */
  readonly rows: number | null;
}

const format = 'multi-pair-db plan 1';

/**
 * What of a plan has to be kept to know it again: no SQL, because the files have it, and their hashes are here.
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const text = JSON.stringify(toSavedPlan(await planMigrations(connection)));
 */
export function toSavedPlan(
  plan: DescribedPlan,
  release: string | null = null,
  rehearsal?: PlanRehearsal,
): SavedPlan {
  return {
    format,
    createdAtMs: plan.createdAtMs,
    target: plan.target,
    database: plan.database,
    versionNumber: plan.versionNumber,
    release,
    upTo: plan.upTo ?? null,
    applied: plan.applied,
    files: [...plan.repairs, ...plan.migrations].map(({ tag, file, hash, isRepair }) => ({
      tag,
      file,
      hash,
      isRepair,
      estimatedMs: plan.estimatedMs[tag] ?? 0,
      diskBytes: plan.diskBytes[tag] ?? 0,
      walBytes: plan.walBytes[tag] ?? 0,
    })),
    catalog: plan.catalog,
    makes: plan.makes,
    tables: plan.tables.map(({ table, rows }) => ({ table, rows: rows ?? null })),
    ...(rehearsal && { rehearsal }),
  };
}

/**
 * Reads a plan that was written down.
 *
 * @param file as the error names it
 * @throws OperationError `FILE_INVALID`
 * @example
 * import { readFile } from 'node:fs/promises';
 *
 * const saved = parseSavedPlan(await readFile('plan.json', 'utf8'), 'plan.json');
 */
export function parseSavedPlan(text: string, file: string): SavedPlan {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, `is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!isSavedPlan(parsed)) throw invalid(file, `is no plan of this release (${format})`);
  return parsed;
}

const invalid = (file: string, fault: string): OperationError =>
  new OperationError({
    code: 'FILE_INVALID',
    message: `${file} ${fault}; nothing was changed`,
    advice: 'Make a plan: multi-pair-db migrate --dry-run --out FILE',
  });

const isSavedFile = (value: unknown): value is SavedFile =>
  isObject(value) &&
  [value['tag'], value['file'], value['hash']].every(isText) &&
  typeof value['isRepair'] === 'boolean' &&
  [value['estimatedMs'], value['diskBytes'], value['walBytes']].every(Number.isFinite);

const isFingerprint = (value: unknown): value is Fingerprint =>
  isObject(value) && Object.values(value).every(isText);

function isSavedPlan(value: unknown): value is SavedPlan {
  if (!isObject(value) || value['format'] !== format) return false;
  const { database } = value;
  return (
    [value['createdAtMs'], value['versionNumber']].every(Number.isFinite) &&
    isText(value['target']) &&
    isObject(database) &&
    isText(database['name']) &&
    [database['systemIdentifier'], value['release'], value['upTo']].every(isTextOrNull) &&
    isListOf(value['applied'], isText) &&
    isListOf(value['files'], isSavedFile) &&
    [value['catalog'], value['makes']].every(isFingerprint) &&
    isListOf(value['tables'], isTableOfPlan) &&
    (value['rehearsal'] === undefined || isPlanRehearsal(value['rehearsal']))
  );
}
