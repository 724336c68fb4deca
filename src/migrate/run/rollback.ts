import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { inReadOnlyTransaction } from '../../connection/read-only.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { type DownFile, findDownFile } from '../history/down.ts';
import { type MigrationFile, readMigrationFiles } from '../history/folder.ts';
import { compareHistory, type History, refuseFaults, resolveMigration } from '../history/history.ts';
import { defaultJournal, listJournalRows, unrecordSql } from '../history/journal.ts';
import { forgetsItself } from '../plan/frame.ts';
import { findMode, type PlanMode } from '../plan/planned-migration.ts';
import { loadReader, type ReadStatement } from '../plan/statements.ts';
import { begin, commit, fileStep, liftLimitSteps, type PlanStep, runnerStep } from '../plan/step.ts';
import { countPutAside, isPresent } from '../presence.ts';
import type { Project } from '../project.ts';
import type { RunAccount, RunOptions, StepReport } from './options.ts';
import { runSteps } from './steps.ts';
import { withRun } from './with-run.ts';

export interface RollbackOptions extends RunOptions {
  readonly project: Project;
  /** Has to be true where the rollback loses data. */
  readonly acceptDataLoss?: boolean;
}

export interface RollbackReport extends RunAccount {
  readonly target: string;
  readonly tag: string;
  /** False: it was neither recorded nor was anything of it there. */
  readonly undone: boolean;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** What is put aside now, for a later migrate to give back: rows by table. */
  readonly putAside: Readonly<Record<string, number>>;
  readonly steps: readonly StepReport[];
}

/** What a rollback would do. */
export interface DescribedRollback {
  readonly target: string;
  readonly tag: string;
  /** False: it was neither recorded nor is anything of it there. */
  readonly isThere: boolean;
  /** What is lost for the services; undefined: nothing. */
  readonly dataLoss: string | undefined;
  /** What it would put aside, for a later migrate to give back: rows, by what they are. */
  readonly putAside: Readonly<Record<string, number>>;
  readonly steps: readonly PlanStep[];
}

/** What `rollbackMigration` would do now; read-only. */
export async function planRollback(
  connection: Connection,
  name: string,
  { project }: { readonly project: Project },
): Promise<DescribedRollback> {
  const journal = project.journal ?? defaultJournal;
  const files = await readMigrationFiles(project.folder);
  const migration = resolveMigration(files, name);
  const { tag } = migration;
  const down = refuseWithoutUndo(migration, await findDownFile(project.folder, migration), true);
  return inReadOnlyTransaction(connection, async () => {
    const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
    refuseFaults(history);
    refuseOutOfOrder(migration, history);
    const expected = await findCatalogFile(project.folder);
    const isPresentNow = isPresent(await readCatalog(connection, scopeOf(expected)), expected, tag);
    const putAside: Record<string, number> = {};
    for (const [what, query] of isPresentNow ? Object.entries(project.putAside?.[tag] ?? {}) : []) {
      const [row] = await connection.query<{ rows: number }>(query);
      putAside[what] = row?.rows ?? 0;
    }
    const { steps } = planSteps(project, migration, down, connection.versionNumber, await loadReader());
    const isThere = isPresentNow || history.applied.includes(migration);
    return { target: connection.target, tag, isThere, dataLoss: down.dataLoss, putAside, steps };
  });
}

/** Undoes one migration, and takes its journal row away. */
export async function rollbackMigration(
  connection: Connection,
  name: string,
  options: RollbackOptions,
): Promise<RollbackReport> {
  const { project } = options;
  const journal = project.journal ?? defaultJournal;
  const files = await readMigrationFiles(project.folder);
  const migration = resolveMigration(files, name);
  const { tag } = migration;
  const down = refuseWithoutUndo(
    migration,
    await findDownFile(project.folder, migration),
    options.acceptDataLoss ?? false,
  );
  const startedAtMs = Date.now();
  return withRun(connection, project, options, async (run) => {
    const readHistory = async (): Promise<History> =>
      compareHistory(files, await listJournalRows(connection, journal, files), journal);
    const history = await readHistory();
    refuseFaults(history);
    refuseOutOfOrder(migration, history);
    const expected = await findCatalogFile(project.folder);
    const undone =
      history.applied.includes(migration) ||
      isPresent(await readCatalog(connection, scopeOf(expected)), expected, tag);
    const { steps, mode } = planSteps(project, migration, down, connection.versionNumber, await loadReader());
    if (undone) await run.beginWork(tag);
    const report = undone
      ? await runSteps(run, steps, mode, { tag, file: down.file }).catch(async (error: unknown) => {
          throw explain(error, tag, await isStillApplied(connection, migration, readHistory));
        })
      : { steps: [] };
    return {
      target: connection.target,
      tag,
      undone,
      startedAtMs,
      durationMs: Date.now() - startedAtMs,
      putAside: await countPutAside(connection),
      steps: report.steps,
      ...(await run.account()),
    };
  });
}

/**
 * A file in the frame takes its record away itself. Else the record goes with the work, in one transaction, where the
 * work can be in one. Where it can't, the record goes first: broken off half way, the database then says "pending", and
 * the next run of either direction finishes it.
 */
function planSteps(
  project: Project,
  migration: MigrationFile,
  { statements }: DownFile,
  versionNumber: number,
  read: ReadStatement,
): { steps: PlanStep[]; mode: PlanMode } {
  const mode = findMode(statements, read);
  const blocks = project.blocks?.[migration.tag] ?? {};
  const work = statements.map((statement) => fileStep(statement, blocks, read));
  const unrecord = runnerStep(unrecordSql(migration, project.journal ?? defaultJournal), {
    lock: 'ROW EXCLUSIVE on the journal',
    work: 'one row',
    tables: [],
  });
  const ordered = forgetsItself(statements)
    ? work
    : mode === 'transaction'
      ? [begin, ...work, unrecord, commit]
      : [unrecord, ...work];
  return { steps: [...liftLimitSteps(versionNumber), ...ordered], mode };
}

/** What the journal says after a fault; undefined where it can't be asked any more. */
async function isStillApplied(
  connection: Connection,
  migration: MigrationFile,
  readHistory: () => Promise<History>,
): Promise<boolean | undefined> {
  try {
    await connection.execute('rollback');
    return (await readHistory()).applied.includes(migration);
  } catch {
    // The connection is gone: the first fault is the one to report.
    return undefined;
  }
}

/** Adds to an error what is left and what the next run will do. */
function explain(error: unknown, tag: string, isApplied: boolean | undefined): unknown {
  if (!(error instanceof OperationError)) return error;
  const states = {
    applied: `${tag} is still applied: run the rollback again.`,
    pending: `What is undone stays so, and ${tag} counts as pending: run the rollback again to finish it, or migrate to build it again.`,
    unknown: 'Run status, which says what is left; the rollback can be run again.',
  };
  const state = states[isApplied === undefined ? 'unknown' : isApplied ? 'applied' : 'pending'];
  const message =
    error.code === 'INTERRUPTED' ? `the rollback of ${tag} was interrupted: ${error.message}` : error.message;
  return new OperationError({ ...error.toJSON(), message, advice: `${error.advice} ${state}`.trim() });
}

function refuseWithoutUndo(
  { tag }: MigrationFile,
  down: DownFile | undefined,
  acceptDataLoss: boolean,
): DownFile {
  if (down === undefined) {
    throw new OperationError({
      code: 'REFUSED',
      message: `${tag} can’t be rolled back; nothing was changed`,
      advice: 'There is no undo for it. Restore a backup, or write a migration that does the opposite.',
    });
  }
  if (down.dataLoss !== undefined && !acceptDataLoss) {
    throw new OperationError({
      code: 'DATA_LOSS',
      message: `rolling ${tag} back loses data; nothing was changed: ${down.dataLoss}`,
      advice:
        'Take a backup, stop the services that need it, then repeat the command with --accept-data-loss.',
    });
  }
  return down;
}

function refuseOutOfOrder(migration: MigrationFile, { applied }: History): void {
  const later = applied.filter((file) => file.createdAtMs > migration.createdAtMs).map((file) => file.tag);
  if (later.length === 0) return;
  throw new OperationError({
    code: 'ORDER',
    message: `${migration.tag} can’t be rolled back while ${later.join(', ')} is applied after it; nothing was changed`,
    advice: `Roll back ${later.reverse().join(', then ')} first.`,
  });
}
