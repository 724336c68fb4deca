import type { TradeWaits } from '../canary/waits.ts';
import type { LongestLag, Rest, StepBack } from './ledger.ts';
import type { ProgressListener } from './progress.ts';

/** What every run that changes a database can be told. */
export interface RunOptions {
  /** Whoever waits longer behind a statement of ours has it cancelled; it is tried again later (default 250 ms). */
  readonly maxTradeWaitMs?: number;
  /**
   * Between two batches or builds it rests while a connected standby has not replayed for longer what was written
   * (default 10,000 ms; 0 asks no standby, for one that is late on purpose).
   */
  readonly maxReplicaLagMs?: number;
  /** So long trading is measured before the work begins (default 5,000 ms; 0 where the tables are under 8 MB). */
  readonly baselineMs?: number;
  /** Wait so long for another run to end (default 60,000 ms; 0 tries once). */
  readonly lockWaitMs?: number;
  /** A statement may wait so long for transactions of others without a break (default 30 minutes). */
  readonly maxWaitMs?: number;
  /** Aborted: the running statement is cancelled on the server, and the lock given back. */
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** A start of a service that runs its DDL behind a build would stop all writers: this is as long as they may wait. */
export const defaultMaxTradeWaitMs = 250;
export const defaultMaxReplicaLagMs = 10_000;
export const defaultBaselineMs = 5_000;
export const defaultLockWaitMs = 60_000;
/** A dump of a large database takes that long; an operator who waits longer says so. */
export const defaultMaxWaitMs = 30 * 60_000;

/** A statement that was run. */
export interface StepReport {
  readonly statement: string;
  readonly line: number | undefined;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Of it, waiting for others; seen every quarter of a second. */
  readonly waitedMs: number;
}

/** What every run reports beside its work. */
export interface RunAccount {
  /** What trading felt; undefined where there was nothing to do. */
  readonly tradeWaits: TradeWaits | undefined;
  readonly rests: readonly Rest[];
  readonly stepBacks: readonly StepBack[];
  /** Undefined where no standby was seen: there is none, or it is not asked, or this role may not see it. */
  readonly longestLag: LongestLag | undefined;
}

/** The file that is being run. */
export interface RunningFile {
  readonly tag: string;
  readonly file: string;
}
