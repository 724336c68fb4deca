import type { MigrationFile, MigrationStatement } from '../history/folder.ts';
import { type JournalTable, recordSql } from '../history/journal.ts';
import { listBuilds, proveSql } from './builds.ts';
import { isFramed } from './frame.ts';
import type { ReadStatement } from './statements.ts';
import {
  type Blocks,
  begin,
  catalogOnly,
  commit,
  dropsIndex,
  fileStep,
  liftLimitSteps,
  type PlanStep,
  runnerStep,
  shortLockTimeout,
} from './step.ts';

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

/** How the statements of a file can be run: see `PlanMode`. */
export function findMode(statements: readonly MigrationStatement[], read: ReadStatement): PlanMode {
  const readings = statements.map(({ sql }) => read(sql));
  if (readings.some(({ leaves }) => leaves !== undefined)) return 'own';
  if (isFramed(statements)) return 'outside';
  return readings.some(({ refusesTransaction }) => refusesTransaction) ? 'outside' : 'transaction';
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
export function planRepair(
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

const readsCatalog = catalogOnly('reads the catalog');
const writesJournal = { ...catalogOnly('one row'), lock: 'SHARE ROW EXCLUSIVE on the journal' };
