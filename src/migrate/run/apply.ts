import { setTimeout as sleep } from 'node:timers/promises';
import { listTableHolders } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { readMigrationFiles } from '../history/folder.ts';
import { createJournal, defaultJournal } from '../history/journal.ts';
import { buildPlan, type PlanMode, type PlannedMigration, type PlanStep } from '../plan/plan.ts';
import type { Project } from '../project.ts';
import { dropFailedBuild } from './failed-build.ts';
import { type Run, type RunningFile, type RunOptions, type StepReport, withRun } from './run.ts';

export interface ApplyOptions extends RunOptions {
  readonly project: Project;
  /** The last file to apply: `001`, `1`, `0001` or the full name (default: all that are pending). */
  readonly upTo?: string;
}

/** What was done. */
export interface ApplyReport {
  readonly target: string;
  readonly versionNumber: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Tags that were applied before. */
  readonly alreadyApplied: readonly string[];
  /** Files that were applied before, and run again because something of them was missing or damaged. */
  readonly repaired: readonly AppliedMigration[];
  readonly applied: readonly AppliedMigration[];
}

export interface AppliedMigration {
  readonly tag: string;
  readonly file: string;
  readonly durationMs: number;
  readonly waitedMs: number;
  /** How often it was begun: more than once where a lock was not to be had. */
  readonly tries: number;
  /** The statements of the file, in order. */
  readonly steps: readonly StepReport[];
}

/** Applies the pending migrations of a project, up to and with `upTo`; what is done stays done and is recorded. */
export async function applyMigrations(connection: Connection, options: ApplyOptions): Promise<ApplyReport> {
  const { project } = options;
  const startedAtMs = Date.now();
  return withRun(connection, project, options, async (run) => {
    const plan = await buildPlan(connection, project, options.upTo);
    await createJournal(
      connection,
      project.journal ?? defaultJournal,
      await readMigrationFiles(project.folder),
    );
    const all = [...plan.repairs, ...plan.migrations];
    const done: AppliedMigration[] = [];
    for (const [index, migration] of all.entries()) {
      const { tag, isRepair } = migration;
      run.emit({ kind: 'started', tag, number: index + 1, of: all.length, isRepair });
      const report = await applyMigration(run, migration, done);
      run.emit({ kind: 'finished', tag, durationMs: report.durationMs });
      done.push(report);
    }
    const repaired = done.slice(0, plan.repairs.length);
    const applied = done.slice(plan.repairs.length);
    return {
      target: connection.target,
      versionNumber: connection.versionNumber,
      startedAtMs,
      durationMs: Date.now() - startedAtMs,
      alreadyApplied: plan.applied,
      repaired,
      applied,
    };
  });
}

async function applyMigration(
  run: Run,
  migration: PlannedMigration,
  before: readonly AppliedMigration[],
): Promise<AppliedMigration> {
  const { tag, file } = migration;
  const startedAtMs = Date.now();
  const running = { tag, file };
  try {
    const { steps, tries } = await runSteps(run, migration.steps, migration.mode, running);
    const waitedMs = steps.reduce((sum, step) => sum + step.waitedMs, 0);
    return { tag, file, durationMs: Date.now() - startedAtMs, waitedMs, tries, steps };
  } catch (error) {
    throw explain(error, migration, before);
  }
}

/** Between two tries of a transaction; the jitter keeps it from meeting a periodic job each time. */
const retryMs = { least: 200, jitter: 200 };

/** Runs steps in order. A transaction of ours that can't have a lock is rolled back and tried again. */
export async function runSteps(
  run: Run,
  steps: readonly PlanStep[],
  mode: PlanMode,
  running: RunningFile,
): Promise<{ steps: StepReport[]; tries: number }> {
  const startedAt = Date.now();
  for (let tries = 1; ; tries++) {
    let current: PlanStep | undefined;
    const reports: StepReport[] = [];
    const fromFile = steps.filter((step) => step.from === 'file');
    try {
      for (const step of steps) {
        current = step;
        if (step.from === 'file') announce(run, running.tag, reports.length + 1, fromFile.length, step);
        const report = await run.step(step, running);
        if (step.from === 'file') reports.push(report);
      }
      return { steps: reports, tries };
    } catch (cause) {
      const error = await withFailedBuild(run.connection, cause, current);
      const waitedMs = Date.now() - startedAt;
      // A block that tries by itself has given up for good reason.
      const triesItself = current?.facts.exclusive !== undefined;
      if (mode !== 'transaction' || triesItself || !isLockTimeout(error) || waitedMs >= run.maxWaitMs)
        throw error;
      await run.connection.execute('rollback');
      const holders = await listTableHolders(run.connection, current?.facts.tables ?? [], [
        run.connection.pid,
      ]);
      run.emit({ kind: 'waiting', tag: running.tag, for: holders, waitedMs });
      await sleep(retryMs.least + Math.random() * retryMs.jitter);
    }
  }
}

/** Not where the operator wants to leave: a drop may wait. */
async function withFailedBuild(
  connection: Connection,
  error: unknown,
  step: PlanStep | undefined,
): Promise<unknown> {
  if (!(error instanceof OperationError) || step === undefined) return error;
  if (error.code === 'INTERRUPTED' || error.code === 'CONNECTION_LOST') return error;
  const left = await dropFailedBuild(connection, step.sql);
  return left === undefined
    ? error
    : new OperationError({ ...error.toJSON(), advice: `${error.advice} ${left}` });
}

function announce(run: Run, tag: string, number: number, of: number, { sql }: PlanStep): void {
  run.emit({ kind: 'statement', tag, statement: firstLine(sql), number, of });
}

const firstLine = (sql: string): string =>
  sql.split('\n').find((line) => line.trim() !== '' && !line.trim().startsWith('--')) ?? '';

const isLockTimeout = (error: unknown): boolean =>
  error instanceof OperationError && error.sqlState === '55P03';

/** Adds to an error what is done and what the next run will do. */
function explain(
  error: unknown,
  { tag, mode, isRepair }: PlannedMigration,
  before: readonly AppliedMigration[],
): unknown {
  if (!(error instanceof OperationError)) return error;
  const states: Record<PlanMode, string> = {
    transaction: `${tag} was rolled back: nothing of it is left.`,
    own: `What ${tag} has committed stays, and it is not recorded as applied: the next run goes through it again and finishes it.`,
    outside: `What stands before this statement is committed, and ${tag} is not recorded as applied: the next run begins it again, so its statements have to be such that can be run twice (IF NOT EXISTS).`,
  };
  const state = isRepair
    ? `${tag} stays recorded as applied, and what was missing of it is not all there: run migrate again.`
    : states[mode];
  const done =
    before.length === 0
      ? ''
      : ` Applied in this run: ${before.map((migration) => migration.tag).join(', ')}.`;
  const message = error.code === 'INTERRUPTED' ? `${tag} was interrupted: ${error.message}` : error.message;
  return new OperationError({
    ...error.toJSON(),
    message,
    advice: `${error.advice} ${state}${done}`.trim(),
  });
}
