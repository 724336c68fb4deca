import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { findDownFile } from '../history/down.ts';
import { type MigrationFile, readMigrationFiles } from '../history/folder.ts';
import { compareHistory, type History, refuseFaults, resolveMigration } from '../history/history.ts';
import { defaultJournal, listJournalRows } from '../history/journal.ts';
import { loadReader } from '../plan/statements.ts';
import { countPutAside, isPresent } from '../presence.ts';
import type { Project } from '../project.ts';
import type { RunAccount, RunOptions, StepReport } from './options.ts';
import { listAnnounced, runSteps } from './steps.ts';
import { planUndo, refuseOutOfOrder, refuseWithoutUndo } from './undo.ts';
import { withRun } from './with-run.ts';

/** How to undo. */
export interface RollbackOptions extends RunOptions {
  readonly project: Project;
  /** Has to be true where the rollback loses data. */
  readonly acceptDataLoss?: boolean;
}

/** What an undo has done. */
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
    const { steps, mode } = planUndo(project, migration, down, connection.versionNumber, await loadReader());
    const undo = async (): Promise<readonly StepReport[]> => {
      run.emit({ kind: 'planned', files: [{ tag, statements: listAnnounced(steps) }] });
      await run.beginWork(tag);
      run.emit({ kind: 'started', tag, number: 1, of: 1, isRepair: false, isUndo: true });
      const begunAtMs = Date.now();
      const report = await runSteps(run, steps, mode, { tag, file: down.file }).catch(
        async (error: unknown) => {
          throw explain(error, tag, await isStillApplied(connection, migration, readHistory));
        },
      );
      run.emit({ kind: 'finished', tag, durationMs: Date.now() - begunAtMs });
      return report.steps;
    };
    const reports = undone ? await undo() : [];
    return {
      target: connection.target,
      tag,
      undone,
      startedAtMs,
      durationMs: Date.now() - startedAtMs,
      putAside: await countPutAside(connection),
      steps: reports,
      ...(await run.account()),
    };
  });
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
