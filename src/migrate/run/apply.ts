import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { readMigrationFiles } from '../history/folder.ts';
import { completeJournal, createJournal, defaultJournal } from '../history/journal.ts';
import { checkPlan } from '../plan/check-plan.ts';
import { buildPlan } from '../plan/plan.ts';
import type { PlanMode, PlannedMigration } from '../plan/planned-migration.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import type { Project } from '../project.ts';
import type { RunAccount, RunOptions, StepReport } from './options.ts';
import type { Run } from './run.ts';
import { listAnnounced, runSteps } from './steps.ts';
import { withRun } from './with-run.ts';

export interface ApplyOptions extends RunOptions {
  readonly project: Project;
  /** The last file to apply: `001`, `1`, `0001` or the full name (default: all that are pending). */
  readonly upTo?: string;
  /**
   * A plan that was written down: its files are run, or none where it does not hold any more; after a run of it that was
   * stopped, what is left of them. `upTo` is then its own.
   */
  readonly plan?: SavedPlan;
}

/** What was done. */
export interface ApplyReport extends RunAccount {
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

/** A file that a run has applied. */
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
    const upTo = options.plan === undefined ? options.upTo : (options.plan.upTo ?? undefined);
    // Compared under the lock: nobody migrates between this and the first statement.
    if (options.plan !== undefined) await checkPlan(connection, options.plan, options);
    const plan = await buildPlan(connection, project, upTo);
    const journal = project.journal ?? defaultJournal;
    const files = await readMigrationFiles(project.folder);
    await createJournal(connection, journal);
    await completeJournal(connection, journal, files);
    const all = [...plan.repairs, ...plan.migrations];
    const done: AppliedMigration[] = [];
    run.emit({
      kind: 'planned',
      files: all.map(({ tag, steps }) => ({
        tag,
        statements: listAnnounced(steps),
      })),
    });
    const [first] = all;
    if (first !== undefined) await run.beginWork(first.tag);
    for (const [index, migration] of all.entries()) {
      const { tag, isRepair } = migration;
      run.emit({ kind: 'started', tag, number: index + 1, of: all.length, isRepair });
      const report = await applyMigration(run, migration, done);
      run.emit({ kind: 'finished', tag, durationMs: report.durationMs });
      done.push(report);
    }
    // A file that was run again may have brought the journal into the shape of drizzle-kit 1.0.
    if (plan.repairs.length > 0) await completeJournal(connection, journal, files);
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
      ...(await run.account()),
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
