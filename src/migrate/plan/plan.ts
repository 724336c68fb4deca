import type { Connection } from '../../connection/connection.ts';
import { liftLimits } from '../../connection/limits.ts';
import { isBeingBuilt } from '../catalog/building.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { listDamaged } from '../catalog/damage.ts';
import { type MigrationFile, type MigrationStatement, readMigrationFiles } from '../history/folder.ts';
import { compareHistory, refuseFaults, resolveMigration } from '../history/history.ts';
import { defaultJournal, type JournalTable, listJournalRows, recordSql } from '../history/journal.ts';
import type { Project, StatementFacts } from '../project.ts';
import { isFramed } from './frame.ts';
import {
  classifyStatement,
  controlsTransaction,
  readBlockLabel,
  readConcurrentIndex,
  refusesTransaction,
} from './statements.ts';

/** One statement that is sent to the server, exactly as it is sent. */
export interface PlanStep {
  readonly sql: string;
  /** `runner`: what the migrator adds. `file`: what the migration file says. */
  readonly from: 'runner' | 'file';
  /** Line of the file, from 1; undefined for the runner's own. */
  readonly line: number | undefined;
  readonly facts: StatementFacts;
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
  readonly mode: PlanMode;
  /** It is applied, and run again because something of it is missing or damaged: it is not recorded a second time. */
  readonly isRepair: boolean;
  readonly steps: readonly PlanStep[];
}

/** What `applyMigrations` would run now. */
export interface MigrationPlan {
  readonly applied: readonly string[];
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
  const leftovers = await listLeftovers(connection, pending);
  const damaged = await readDamaged(connection, project, files);
  const repairs = selectFiles(files, history.applied, upTo).filter(({ tag }) => damaged.has(tag));
  return {
    applied: history.applied.map((file) => file.tag),
    repairs: repairs.map((file) =>
      planRepair(file, project.blocks?.[file.tag] ?? {}, connection.versionNumber),
    ),
    migrations: pending.map((file) =>
      planMigration(file, journal, project.blocks?.[file.tag] ?? {}, connection.versionNumber, leftovers),
    ),
  };
}

/**
 * Indexes that an earlier run has left INVALID. IF NOT EXISTS would take them for built, and without it the build would
 * fail for ever. One that is being built right now is none: the proof at the end of the file finds it.
 */
async function listLeftovers(connection: Connection, files: readonly MigrationFile[]): Promise<string[]> {
  const names = files.flatMap((file) => (findMode(file.statements) === 'outside' ? listBuilds(file) : []));
  if (names.length === 0) return [];
  const rows = await connection.query<{ name: string }>(
    `select name
     from unnest($1::text[]) as name
     join pg_index as i on i.indexrelid = to_regclass(name)
     where not (i.indisvalid and i.indisready and i.indislive)
       and not ${isBeingBuilt('i.indexrelid')}`,
    [names],
  );
  return rows.map((row) => row.name);
}

const listBuilds = (file: MigrationFile): string[] =>
  file.statements.flatMap(({ sql }) => readConcurrentIndex(sql) ?? []);

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

/** Fails unless the indexes are valid: the record may only be written over the truth. */
function proveSql(names: readonly string[]): string {
  const list = names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
  return `do $prove$
declare
  faults text;
begin
  select string_agg(name, ', ') into faults
  from unnest(array[${list}]) as name
  left join pg_index as i on i.indexrelid = to_regclass(name)
  where i.indexrelid is null or not (i.indisvalid and i.indisready and i.indislive);
  if faults is not null then
    raise exception 'not valid: %', faults
      using errcode = 'object_not_in_prerequisite_state', hint = 'Another session may still be building it.';
  end if;
end
$prove$`;
}

/** The steps of one file: the time limits lifted, the file as stock drizzle wraps it, and its record last. */
export function planMigration(
  file: MigrationFile,
  journal: JournalTable,
  blocks: Blocks,
  versionNumber: number,
  leftovers: readonly string[],
): PlannedMigration {
  const mode = findMode(file.statements);
  const statements = file.statements.map((statement) => fileStep(statement, blocks));
  const builds = listBuilds(file);
  const clear = leftovers
    .filter((name) => builds.includes(name))
    .map((name) => runnerStep(`drop index concurrently ${name}`));
  const prove = builds.length === 0 ? [] : [runnerStep(proveSql(builds), readsCatalog)];
  const record = runnerStep(recordSql(file, journal), writesJournal);
  const wrapped = {
    transaction: [begin, shortLockTimeout, ...statements, record, commit],
    own: [begin, ...statements, record, commit],
    outside: [...clear, ...statements, ...prove, record],
  };
  const steps = [...liftLimitSteps(versionNumber), ...wrapped[mode]];
  return { tag: file.tag, file: file.file, mode, isRepair: false, steps };
}

/** A file that is applied, once more: as psql would run it, outside a transaction of the runner, and without a record. */
function planRepair(file: MigrationFile, blocks: Blocks, versionNumber: number): PlannedMigration {
  const mode = findMode(file.statements) === 'own' ? 'own' : 'outside';
  const statements = file.statements.map((statement) => fileStep(statement, blocks));
  const end = mode === 'own' ? [commit] : [];
  const steps = [...liftLimitSteps(versionNumber), ...statements, ...end];
  return { tag: file.tag, file: file.file, mode, isRepair: true, steps };
}

const readsCatalog: StatementFacts = { lock: 'none on tables', work: 'reads the catalog', tables: [] };
const writesJournal: StatementFacts = {
  lock: 'SHARE ROW EXCLUSIVE on the journal',
  work: 'one row',
  tables: [],
};

export function findMode(statements: readonly MigrationStatement[]): PlanMode {
  if (statements.some(({ sql }) => controlsTransaction(sql))) return 'own';
  if (isFramed(statements)) return 'outside';
  return statements.some(({ sql }) => refusesTransaction(sql)) ? 'outside' : 'transaction';
}

export function fileStep({ sql, line }: MigrationStatement, blocks: Blocks): PlanStep {
  const known = blocks[readBlockLabel(sql) ?? ''];
  return { sql, from: 'file', line, facts: known ?? classifyStatement(sql), optional: false };
}

export function runnerStep(
  sql: string,
  facts: StatementFacts = classifyStatement(sql),
  optional = false,
): PlanStep {
  return { sql, from: 'runner', line: undefined, facts, optional };
}

export const begin = runnerStep('begin');
export const commit = runnerStep('commit');
/** In a transaction of the runner, everybody who comes while a statement waits queues behind it. */
export const shortLockTimeout = runnerStep(`set local lock_timeout = '${lockTimeout}'`);

/** Time limits lifted; the migrator puts them back at the end. */
export const liftLimitSteps = (versionNumber: number): PlanStep[] =>
  liftLimits(versionNumber).map(({ sql, optional }) => runnerStep(sql, undefined, optional));
