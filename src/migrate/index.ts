/** The engine: applies, proves and undoes the migrations of any drizzle folder. Nothing here knows a table by name. */
export type { WaitSummary } from './canary/histogram.ts';
export type { WaitTimeline } from './canary/timeline.ts';
export type { TradeWaits } from './canary/waits.ts';
export type { CatalogObject } from './catalog/catalog.ts';
export type { Finding } from './catalog/compare.ts';
export type { HistoryFault } from './history/history.ts';
export type { JournalTable } from './history/journal.ts';
export { describePause, type Pause, pauseRuns, readPause, resumeRuns } from './pause.ts';
export { checkPlan } from './plan/check-plan.ts';
export { type DescribedPlan, type PlanOptions, planMigrations } from './plan/describe.ts';
export { listDrift } from './plan/drift.ts';
export type { TableSize } from './plan/estimate.ts';
export type { MigrationPlan } from './plan/plan.ts';
export type { PlanMode, PlannedMigration } from './plan/planned-migration.ts';
export type { PlanRehearsal, RehearsedFile } from './plan/rehearsal.ts';
export {
  parseSavedPlan,
  type SavedFile,
  type SavedPlan,
  type SavedTable,
  toSavedPlan,
} from './plan/saved-plan.ts';
export type { PlanStep } from './plan/step.ts';
export { type FileSummary, type PlanSummary, type StrongestLock, summarizePlan } from './plan/summary.ts';
export type { Check, CheckContext, CheckLevel, Observation } from './preflight/check.ts';
export {
  type CheckReport,
  type Preflight,
  type PreflightOptions,
  runPreflight,
} from './preflight/preflight.ts';
export type {
  IndexBuild,
  LockedRelation,
  LockMode,
  Project,
  Rewrite,
  RowRule,
  StatementFacts,
  TableLock,
} from './project.ts';
export { type AppliedMigration, type ApplyOptions, type ApplyReport, applyMigrations } from './run/apply.ts';
export type { LongestLag, Rest, StepBack } from './run/ledger.ts';
export type { RunAccount, RunOptions, StepReport } from './run/options.ts';
export { type DescribedRollback, planRollback } from './run/plan-rollback.ts';
export type { ProgressEvent, ProgressListener, RestReason } from './run/progress.ts';
export {
  type RollbackOptions,
  type RollbackReport,
  rollbackMigration,
} from './run/rollback.ts';
export { type IndexStatus, type MigrationStatus, readStatus, type Status } from './status.ts';
export type { PlanProbe, PlanReport } from './verify/plan-probes.ts';
export { type Verification, type VerifyOptions, verifyDatabase } from './verify/verify.ts';
