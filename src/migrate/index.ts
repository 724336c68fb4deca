/** The migrator: applies, proves and undoes the migrations of any drizzle folder on a live database. */
export { describeSession, type SessionActivity } from './activity.ts';
export { type AppliedMigration, type ApplyOptions, type ApplyReport, applyMigrations } from './apply.ts';
export type { Finding } from './compare.ts';
export {
  type Connection,
  connectEmbedded,
  type Notice,
  openConnection,
  type Parameter,
} from './connection.ts';
export { type DescribedPlan, planMigrations, type TableSize } from './describe.ts';
export {
  type FailureExitCode,
  OperationError,
  type OperationErrorCode,
  type OperationErrorDetails,
} from './errors.ts';
export type { HistoryFault } from './history.ts';
export type { MigrationPlan, PlanMode, PlannedMigration, PlanStep } from './plan.ts';
export type { PlanProbe, PlanReport } from './plans.ts';
export type { CheckLevel } from './preflight/check.ts';
export { type CheckReport, type Preflight, type PreflightOptions, runPreflight } from './preflight.ts';
export type { ProgressEvent, ProgressListener } from './progress.ts';
export {
  type DownFacts,
  type MigrationFacts,
  ownProject,
  type Project,
  type StatementFacts,
} from './project.ts';
export type { CheckOptions } from './read-only.ts';
export { type RollbackOptions, type RollbackReport, rollbackMigration } from './rollback.ts';
export type { RowRule } from './row-rules.ts';
export type { RunOptions, StepReport } from './run.ts';
export { type IndexStatus, type MigrationStatus, readStatus, type Status } from './status.ts';
export { type Verification, type VerifyOptions, verifyDatabase } from './verify.ts';
