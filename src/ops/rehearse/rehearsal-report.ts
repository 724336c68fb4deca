import type { WorkOptions } from '../../connection/session.ts';
import type { ProgressListener } from '../../migrate/run/progress.ts';
import type { DescribedPlan, Finding, PlanRehearsal, StrongestLock } from '../../own/index.ts';
import type { RestoreReport } from '../backup/restore-report.ts';

/** What to rehearse with, and where. */
export interface RehearseOptions extends WorkOptions {
  /** A file that `backupDatabase` has made (default: a new one, which stays). */
  readonly backup?: string | undefined;
  /** Folder for the new one (default `backups`). */
  readonly folder?: string;
  /** URL of a server to rehearse on, with a database to connect to (default: that of the database itself). */
  readonly on?: string | undefined;
  /** Leaves the rehearsal database there, also after a fault (default false). */
  readonly keep?: boolean;
  /** Gives everything to the role that rehearses: another server may lack the roles of this one (default false). */
  readonly withoutOwners?: boolean;
  /** Called when a part of the work begins; what goes on in it comes by `onProgress` and `onEvent`. */
  readonly onPhase?: ((text: string) => void) | undefined;
  readonly onEvent?: ProgressListener | undefined;
  /** Called with the name of each step as it begins; beside those that are measured, `backup` and `drop`. */
  readonly onStep?: ((name: string) => void) | undefined;
}

/** A part of the rehearsal, and what it took. */
export interface RehearsalStep {
  /** `restore`, `migrate`, `analyze`, `verify`, `rollback 0002_symbol_indexes`, `migrate again`, `verify again`. */
  readonly name: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** WAL that the whole server has written meanwhile, with what others write. */
  readonly walBytes: number;
  /** Size of the rehearsal database at its end, and the largest that was seen. */
  readonly sizeBytes: number;
  readonly peakBytes: number;
}

/** What a rehearsal has found. */
export interface RehearsalReport {
  /** The database that it was for, and the one in which it was. */
  readonly target: string;
  readonly rehearsedOn: string;
  /** What of it says less about the live database than one may think. */
  readonly notes: readonly string[];
  readonly backup: { readonly path: string; readonly sha256: string; readonly startedAtMs: number };
  readonly restore: Pick<RestoreReport, 'complete' | 'differences' | 'objects'>;
  readonly steps: readonly RehearsalStep[];
  /** Tags that were pending in the backup: these were migrated, rolled back and migrated again. */
  readonly pending: readonly string[];
  /** What was estimated for the copy, to compare with. */
  readonly estimatedMs: number;
  /** The strongest lock of the plan; undefined: none on tables that others use. */
  readonly lock: StrongestLock | undefined;
  /** True if all was restored as it was backed up, and no verification has found a fault. */
  readonly passed: boolean;
  /** Faults and notes of the verifications, the step with them. */
  readonly findings: readonly (Finding & { readonly step: string })[];
  /** The plan for the live database, made before anything else was done, and what its files took on the copy. */
  readonly plan: DescribedPlan;
  readonly rehearsal: PlanRehearsal;
  /** Whether the rehearsal database is still there; and why, where it should not be. */
  readonly isKept: boolean;
  readonly dropFault?: string;
}
