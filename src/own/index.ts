/**
 * The migrator: applies, proves and undoes migrations on a live database. Each function works on this package's own
 * migrations, unless it is given another `project`: any drizzle folder will do.
 */
import type { Connection } from '../connection/connection.ts';
import * as engine from '../migrate/index.ts';
import { ownChecks } from './checks/index.ts';
import { ownProject } from './project.ts';

export { describeSession, type SessionActivity } from '../connection/activity.ts';
export type { Connection, Notice, Parameter } from '../connection/connection.ts';
export type { FailureExitCode, OperationErrorCode } from '../connection/error-codes.ts';
export { OperationError, type OperationErrorDetails } from '../connection/errors.ts';
export { connectEmbedded, openConnection } from '../connection/open.ts';
export type { CheckOptions } from '../connection/read-only.ts';
export type * from '../migrate/index.ts';
export {
  describePause,
  listDrift,
  parseSavedPlan,
  summarizePlan,
  toSavedPlan,
} from '../migrate/index.ts';
export { ownProject } from './project.ts';
export { runSmokeTest, type SmokeStep } from './smoke.ts';

/** Options of the engine, where the project may be left out. */
type OnOwnProject<Options extends { readonly project: engine.Project }> = Omit<Options, 'project'> &
  Partial<Pick<Options, 'project'>>;

/** How to apply. Without `project`: this package's own files. */
export type ApplyOptions = OnOwnProject<engine.ApplyOptions>;
/** What to plan. Without `project`: this package's own files. */
export type PlanOptions = OnOwnProject<engine.PlanOptions>;
/** How to undo. Without `project`: this package's own files. */
export type RollbackOptions = OnOwnProject<engine.RollbackOptions>;
/** How to verify. Without `project`: this package's own files. */
export type VerifyOptions = OnOwnProject<engine.VerifyOptions>;
/** How to look. Without `project`: this package's own files. */
export type PreflightOptions = OnOwnProject<engine.PreflightOptions>;

/**
 * Applies the pending migrations, up to and with `upTo`, on a live database. What is done stays done and is recorded,
 * file by file; run it again after any fault. It and stock drizzle-kit can take over from one another.
 *
 * @throws OperationError `LOCKED` another run, or transactions of others, in the way for too long · `HISTORY` files and
 *   journal contradict each other · `POOLED` · `INTERRUPTED` · `DUPLICATES` · whatever else a statement meets.
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const report = await applyMigrations(connection, { onProgress: (event) => console.error(event.kind) });
 * console.log(report.applied.map((migration) => migration.tag));
 */
export const applyMigrations = (
  connection: Connection,
  options: ApplyOptions = {},
): Promise<engine.ApplyReport> => engine.applyMigrations(connection, { project: ownProject, ...options });

/**
 * What `applyMigrations` would do now: the same plan, and what it will meet. Runs in a transaction that could not write
 * if it tried.
 *
 * @throws OperationError `HISTORY` and `USAGE`, as `applyMigrations` would.
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const plan = await planMigrations(connection, { upTo: '001' });
 * for (const migration of plan.migrations) for (const step of migration.steps) console.log(step.sql);
 */
export const planMigrations = (
  connection: Connection,
  options: PlanOptions = {},
): Promise<engine.DescribedPlan> => engine.planMigrations(connection, { project: ownProject, ...options });

/**
 * What is left to do of a plan that was written down (`toSavedPlan`), or refuses where it does not hold any more. What a run
 * of the plan has done before it was stopped is no drift: `applyMigrations` with the same plan finishes it. A table whose
 * estimated rows are off is counted, about 1 s a million rows.
 *
 * @throws OperationError `REFUSED` other files, another catalog, other rows, another database, or a week old; `HISTORY`
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const saved = toSavedPlan(await planMigrations(connection));
 * const { migrations } = await checkPlan(connection, saved);
 */
export const checkPlan = (
  connection: Connection,
  saved: engine.SavedPlan,
  options: { readonly project?: engine.Project; readonly signal?: AbortSignal | undefined } = {},
): Promise<engine.DescribedPlan> => engine.checkPlan(connection, saved, { project: ownProject, ...options });

/**
 * Undoes one migration: the last one that is applied, or what a run that broke off has left of it. The journal row goes
 * with it. Migrating again brings everything back, also what the undo has put aside.
 *
 * @throws OperationError `ORDER` a later migration is applied · `DATA_LOSS` not accepted · `REFUSED` there is no undo.
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * await rollbackMigration(connection, '002');
 */
export const rollbackMigration = (
  connection: Connection,
  name: string,
  options: RollbackOptions = {},
): Promise<engine.RollbackReport> =>
  engine.rollbackMigration(connection, name, { project: ownProject, ...options });

/**
 * What `rollbackMigration` would do now, and how many rows it would put aside. Reads the tables once; writes nothing.
 *
 * @throws OperationError `ORDER`, `REFUSED`, `USAGE`, `HISTORY`, as `rollbackMigration` would.
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { dataLoss, putAside } = await planRollback(connection, '001');
 */
export const planRollback = (
  connection: Connection,
  name: string,
  options: { readonly project?: engine.Project } = {},
): Promise<engine.DescribedRollback> =>
  engine.planRollback(connection, name, { project: ownProject, ...options });

/**
 * Reads where a database stands, in one read-only transaction. It counts the rows still to fill, for which it reads
 * `sessions` once.
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { migrations } = await readStatus(connection);
 * const isCurrent = migrations.every((migration) => migration.state === 'applied');
 */
export const readStatus = (
  connection: Connection,
  options: { readonly project?: engine.Project } = {},
): Promise<engine.Status> => engine.readStatus(connection, { project: ownProject, ...options });

/**
 * Proves that the database is what the package says, or says where it is not: the live catalog against the one that
 * the migrations produce, the journal against the files, every row of `sessions` and `orders` against the rules of pairs,
 * and the plans of the queries in `explain`. Works on a database at any stage; what is not there yet is a fault.
 *
 * Reads only, in a read-only transaction, and holds up no reader or writer: it reads `sessions` and `orders` once from end to
 * end, about 1 s a million rows. (As any reader does, it holds up an ALTER TABLE or an index build for that long.)
 *
 * @throws OperationError `FILE_INVALID` where the folder has no `catalog.json`; `PRIVILEGE_MISSING` where the journal
 *   can't be read; `LOCKED` where a table stays locked against readers for a second; and where the connection fails
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { verified, findings } = await verifyDatabase(connection);
 * if (!verified) for (const { object, found, repair } of findings) console.error(object, found, repair);
 */
export const verifyDatabase = (
  connection: Connection,
  options: VerifyOptions = {},
): Promise<engine.Verification> => engine.verifyDatabase(connection, { project: ownProject, ...options });

/**
 * Looks at a live database and says whether the migrations may run now, and what to do first.
 *
 * Reads only, in a read-only transaction, and holds up no reader or writer: it reads `sessions` twice or thrice and
 * `orders` once, `sessions` once more for each constraint that an update could break, and, where the unique index is not
 * there yet, sorts or hashes `fills` once. (As any reader does, it holds up an ALTER TABLE or an
 * index build that is under way, until it ends.) Each statement has a limit; a check that was cut short or not allowed
 * is a warning that says so. What others are doing is true of one moment: run it right before `migrate`.
 *
 * @throws OperationError where the connection fails, the journal can't be read, or a table stays locked against readers
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { mayRun, checks } = await runPreflight(connection);
 * for (const { level, found } of checks) if (level !== 'ok') console.error(level, found);
 */
export const runPreflight = (
  connection: Connection,
  options: PreflightOptions = {},
): Promise<engine.Preflight> =>
  engine.runPreflight(connection, { project: ownProject, checks: ownChecks, ...options });

/**
 * Pauses every run on this database, of whatever runner, between two batches or builds, until `resumeRuns`. `by` says who,
 * for those who find it paused. Where it is paused already, that pause stays, and comes back with `isNew: false`.
 *
 * @throws OperationError `REFUSED` where the first migration is not applied · `PRIVILEGE_MISSING`
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { sinceMs } = await pauseRuns(connection, { by: 'alice', reason: 'the market opens' });
 */
export const pauseRuns = (
  connection: Connection,
  options: { readonly by: string; readonly reason?: string | undefined },
): Promise<engine.Pause & { readonly isNew: boolean }> => engine.pauseRuns(connection, options);

/**
 * Lets runs go on, within a quarter of a second. Gives the pause that was ended; undefined where there was none.
 *
 * @throws OperationError `REFUSED` where the first migration is not applied · `PRIVILEGE_MISSING`
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const ended = await resumeRuns(connection);
 */
export const resumeRuns = (connection: Connection): Promise<engine.Pause | undefined> =>
  engine.resumeRuns(connection);

/**
 * The pause of this database; undefined where there is none, and where this role may not know.
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const isPaused = (await readPause(connection)) !== undefined;
 */
export const readPause = (connection: Connection): Promise<engine.Pause | undefined> =>
  engine.readPause(connection);
