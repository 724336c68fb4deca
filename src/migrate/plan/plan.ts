import type { Connection } from '../../connection/connection.ts';
import { liftLimits } from '../../connection/limits.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { listDamaged } from '../catalog/damage.ts';
import { type MigrationFile, type MigrationStatement, readMigrationFiles } from '../history/folder.ts';
import { compareHistory, refuseFaults, resolveMigration } from '../history/history.ts';
import { defaultJournal, type JournalTable, listJournalRows, recordSql } from '../history/journal.ts';
import type { Project, StatementFacts } from '../project.ts';
import { listBuilds, listLeftovers, proveSql } from './builds.ts';
import { isFramed } from './frame.ts';
import { readBlockLabel } from './head.ts';
import { loadReader, type ReadStatement, type StatementReading } from './statements.ts';

/** One statement that is sent to the server, exactly as it is sent. */
export interface PlanStep {
  readonly sql: string;
  /** `runner`: what the migrator adds. `file`: what the migration file says. */
  readonly from: 'runner' | 'file';
  /** Line of the file, from 1; undefined for the runner's own. */
  readonly line: number | undefined;
  readonly facts: StatementFacts;
  /** What it leaves: a transaction that is open, or none. Undefined: as it was before. */
  readonly leaves: StatementReading['leaves'];
  /** A setting that not every platform knows: a refusal is no fault. */
  readonly optional: boolean;
}

/**
 * How a file is run. `transaction`: wrapped in one, all or nothing, tried again while a lock is not to be had.
 * `own`: the file ends the runner's transaction and opens one at its end. `outside`: it has statements that refuse
 * a transaction and says nothing about one, so each statement commits by itself.
 */
export type PlanMode = 'transaction' | 'own' | 'outside';

/** One file that is pending, as the steps that apply it. */
export interface PlannedMigration {
  readonly tag: string;
  /** As messages name it: `drizzle/0001_multi_pair_support.sql`. */
  readonly file: string;
  /** sha256 of the file, as the journal records it. */
  readonly hash: string;
  readonly mode: PlanMode;
  /** It is applied, and run again because something of it is missing or damaged: it is not recorded a second time. */
  readonly isRepair: boolean;
  readonly steps: readonly PlanStep[];
}

/** What `applyMigrations` would run now. */
export interface MigrationPlan {
  readonly applied: readonly string[];
  /** sha256 of each file of the folder, by tag, applied or not. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Files that are applied and of which something is missing or damaged: they are run again, before the others. */
  readonly repairs: readonly PlannedMigration[];
  readonly migrations: readonly PlannedMigration[];
}

/** DO blocks of a file, by label. */
type Blocks = Readonly<Record<string, StatementFacts>>;

/** Waits that others notice are kept this short, and tried again. */
export const lockTimeout = '50ms';

/**
 * The pending files up to `upTo`, in order, as the exact statements.
 *
 * @throws OperationError `HISTORY`, `FILE_INVALID`, `USAGE`
 */
export async function buildPlan(
  connection: Connection,
  project: Project,
  upTo: string | undefined,
): Promise<MigrationPlan> {
  const files = await readMigrationFiles(project.folder);
  const journal = project.journal ?? defaultJournal;
  const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
  refuseFaults(history);
  const pending = selectFiles(files, history.pending, upTo);
  const read = await loadReader();
  const outside = pending.filter(({ statements }) => findMode(statements, read) === 'outside');
  const leftovers = await listLeftovers(connection, outside.flatMap(listBuilds));
  const damaged = await readDamaged(connection, project, files);
  const repairs = selectFiles(files, history.applied, upTo).filter(({ tag }) => damaged.has(tag));
  return {
    applied: history.applied.map((file) => file.tag),
    hashes: Object.fromEntries(files.map(({ tag, hash }) => [tag, hash])),
    repairs: repairs.map((file) =>
      planRepair(file, project.blocks?.[file.tag] ?? {}, connection.versionNumber, read),
    ),
    migrations: pending.map((file) =>
      planMigration(
        file,
        journal,
        project.blocks?.[file.tag] ?? {},
        connection.versionNumber,
        leftovers,
        read,
      ),
    ),
  };
}

function selectFiles(
  files: readonly MigrationFile[],
  from: readonly MigrationFile[],
  upTo: string | undefined,
): readonly MigrationFile[] {
  if (upTo === undefined) return from;
  const last = resolveMigration(files, upTo);
  return from.filter((file) => file.createdAtMs <= last.createdAtMs);
}

/** Without a catalog nobody knows what a file has made, and nothing is called damaged. */
async function readDamaged(
  connection: Connection,
  { folder }: Project,
  files: readonly MigrationFile[],
): Promise<ReadonlySet<string>> {
  const expected = await findCatalogFile(folder);
  if (expected.length === 0) return new Set();
  return listDamaged(expected, await readCatalog(connection, scopeOf(expected)), files[0]?.tag);
}

/** The steps of one file: the time limits lifted, the file as stock drizzle wraps it, and its record last. */
export function planMigration(
  file: MigrationFile,
  journal: JournalTable,
  blocks: Blocks,
  versionNumber: number,
  leftovers: readonly string[],
  read: ReadStatement,
): PlannedMigration {
  const mode = findMode(file.statements, read);
  const statements = file.statements.map((statement) => fileStep(statement, blocks, read));
  const builds = listBuilds(file);
  const clear = leftovers
    .filter((name) => builds.includes(name))
    .map((name) => runnerStep(`drop index concurrently ${name}`, dropsIndex(name)));
  const prove = builds.length === 0 ? [] : [runnerStep(proveSql(builds), readsCatalog)];
  const record = runnerStep(recordSql(file, journal), writesJournal);
  const wrapped = {
    transaction: [begin, shortLockTimeout, ...statements, record, commit],
    own: [begin, ...statements, record, commit],
    outside: [...clear, ...statements, ...prove, record],
  };
  const steps = [...liftLimitSteps(versionNumber), ...wrapped[mode]];
  return { tag: file.tag, file: file.file, hash: file.hash, mode, isRepair: false, steps };
}

/** A file that is applied, once more: as psql would run it, outside a transaction of the runner, and without a record. */
function planRepair(
  file: MigrationFile,
  blocks: Blocks,
  versionNumber: number,
  read: ReadStatement,
): PlannedMigration {
  const mode = findMode(file.statements, read) === 'own' ? 'own' : 'outside';
  const statements = file.statements.map((statement) => fileStep(statement, blocks, read));
  const end = mode === 'own' ? [commit] : [];
  const steps = [...liftLimitSteps(versionNumber), ...statements, ...end];
  return { tag: file.tag, file: file.file, hash: file.hash, mode, isRepair: true, steps };
}

const harmless = { tables: [], locks: [], rewrite: 'no', isQuick: true } as const;
const readsCatalog: StatementFacts = { lock: 'none on tables', work: 'reads the catalog', ...harmless };
const writesJournal: StatementFacts = {
  lock: 'SHARE ROW EXCLUSIVE on the journal',
  work: 'one row',
  ...harmless,
};
/** An index that is INVALID; `index` as SQL wants it. */
export const dropsIndex = (index: string): StatementFacts => ({
  lock: `SHARE UPDATE EXCLUSIVE on the table of ${index}: reads and writes go on`,
  work: 'waits for transactions that may use the index',
  tables: [],
  locks: [{ name: index, on: 'its table', mode: 'SHARE UPDATE EXCLUSIVE' }],
  rewrite: 'no',
});
const ofSession = (work: string): StatementFacts => ({ lock: 'none on tables', work, ...harmless });

/** How the statements of a file can be run: see `PlanMode`. */
export function findMode(statements: readonly MigrationStatement[], read: ReadStatement): PlanMode {
  const readings = statements.map(({ sql }) => read(sql));
  if (readings.some(({ leaves }) => leaves !== undefined)) return 'own';
  if (isFramed(statements)) return 'outside';
  return readings.some(({ refusesTransaction }) => refusesTransaction) ? 'outside' : 'transaction';
}

export function fileStep({ sql, line }: MigrationStatement, blocks: Blocks, read: ReadStatement): PlanStep {
  const { facts, leaves } = read(sql);
  const known = blocks[readBlockLabel(sql) ?? ''];
  return { sql, from: 'file', line, facts: known ?? facts, leaves, optional: false };
}

/** The migrator's own: it says itself what they do. */
export const runnerStep = (
  sql: string,
  facts: StatementFacts,
  { optional = false, leaves }: Partial<Pick<PlanStep, 'optional' | 'leaves'>> = {},
): PlanStep => ({ sql, from: 'runner', line: undefined, facts, leaves, optional });

const transactions = ofSession('begins or ends a transaction');
const settings = ofSession('settings of this session only');

export const begin = runnerStep('begin', transactions, { leaves: 'transaction' });
export const commit = runnerStep('commit', transactions, { leaves: 'no transaction' });
/** In a transaction of the runner, everybody who comes while a statement waits queues behind it. */
export const shortLockTimeout = runnerStep(`set local lock_timeout = '${lockTimeout}'`, settings);

/** Time limits lifted; the migrator puts them back at the end. */
export const liftLimitSteps = (versionNumber: number): PlanStep[] =>
  liftLimits(versionNumber).map(({ sql, optional }) => runnerStep(sql, settings, { optional }));
