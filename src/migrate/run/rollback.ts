import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { type MigrationFile, readMigrationFiles, splitStatements } from '../history/folder.ts';
import { compareHistory, type History, refuseFaults, resolveMigration } from '../history/history.ts';
import { listJournalRows, unrecordSql } from '../history/journal.ts';
import {
  begin,
  commit,
  fileStep,
  findMode,
  liftLimitSteps,
  type PlanMode,
  type PlanStep,
  runnerStep,
} from '../plan/plan.ts';
import type { DownFacts, MigrationFacts, Project } from '../project.ts';
import { runSteps } from './apply.ts';
import { type RunOptions, type StepReport, withRun } from './run.ts';

export interface RollbackOptions extends RunOptions {
  readonly project: Project;
  /** Has to be true where the rollback loses data. */
  readonly acceptDataLoss?: boolean;
}

export interface RollbackReport {
  readonly target: string;
  readonly tag: string;
  /** False: it was neither recorded nor was anything of it there. */
  readonly undone: boolean;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly steps: readonly StepReport[];
}

/** Undoes one migration, and takes its journal row away. */
export async function rollbackMigration(
  connection: Connection,
  name: string,
  options: RollbackOptions,
): Promise<RollbackReport> {
  const { project } = options;
  const files = await readMigrationFiles(project.folder);
  const migration = resolveMigration(files, name);
  const facts = project.migrations?.[migration.tag] ?? {};
  const down = refuseWithoutUndo(migration, facts, options.acceptDataLoss ?? false);
  const startedAtMs = Date.now();
  return withRun(connection, project, options, async (run) => {
    const history = compareHistory(files, await listJournalRows(connection));
    refuseFaults(history);
    refuseOutOfOrder(migration, history);
    const isRecorded = history.applied.includes(migration);
    const undone = isRecorded || (await isPresent(connection, facts));
    const { steps, mode } = await planRollback(migration, facts, down, connection.versionNumber);
    const running = { tag: migration.tag, file: downName(down), facts };
    const report = undone
      ? await runSteps(run, steps, mode, running).catch((error: unknown) => {
          throw explain(error, migration.tag, mode);
        })
      : { steps: [] };
    const durationMs = Date.now() - startedAtMs;
    return {
      target: connection.target,
      tag: migration.tag,
      undone,
      startedAtMs,
      durationMs,
      steps: report.steps,
    };
  });
}

/**
 * The record goes with the work, in one transaction, where the work can be in one. Where it can't, the record goes
 * first: broken off half way, the database then says "pending", and the next run of either direction finishes it.
 */
async function planRollback(
  migration: MigrationFile,
  facts: MigrationFacts,
  down: DownFacts,
  versionNumber: number,
): Promise<{ steps: PlanStep[]; mode: PlanMode }> {
  const statements = splitStatements(await readFile(down.file, 'utf8'));
  const mode = findMode(statements);
  const work = statements.map((statement) => fileStep(statement, facts));
  const unrecord = runnerStep(
    `do $journal$
begin
  if to_regclass('drizzle.__drizzle_migrations') is not null then
    ${unrecordSql(migration)};
  end if;
end
$journal$`,
    { lock: 'ROW EXCLUSIVE on the journal', work: 'one row', tables: [] },
  );
  const ordered = mode === 'transaction' ? [begin, ...work, unrecord, commit] : [unrecord, ...work];
  return { steps: [...liftLimitSteps(versionNumber), ...ordered], mode };
}

/** Adds to an error what is left and what the next run will do. */
function explain(error: unknown, tag: string, mode: PlanMode): unknown {
  if (!(error instanceof OperationError)) return error;
  const state =
    mode === 'transaction'
      ? `Nothing of ${tag} was undone.`
      : `What is undone stays so, and ${tag} counts as pending: run the rollback again to finish it, or migrate to build it again.`;
  const message =
    error.code === 'INTERRUPTED' ? `the rollback of ${tag} was interrupted: ${error.message}` : error.message;
  return new OperationError({ ...error.toJSON(), message, advice: `${error.advice} ${state}`.trim() });
}

const downName = ({ file }: DownFacts): string => path.join('drizzle', 'down', path.basename(file));

function refuseWithoutUndo(
  { tag }: MigrationFile,
  { down }: MigrationFacts,
  acceptDataLoss: boolean,
): DownFacts {
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

/** Is anything of a migration there, recorded or not? Where nobody knows how to tell: no. */
export async function isPresent(connection: Connection, { presence }: MigrationFacts): Promise<boolean> {
  if (presence === undefined) return false;
  const [row] = await connection.query<{ present: boolean }>(presence);
  return row?.present === true;
}
