import type { OperationErrorDetails } from '../../connection/errors.ts';
import type { TradeWaits } from '../../migrate/canary/waits.ts';
import type { LongestLag, Rest, StepBack } from '../../migrate/run/ledger.ts';
import type { MaintenanceStep } from '../indexes/maintain.ts';

/** A statement that was run. Times are epoch milliseconds. */
export interface RunStep {
  readonly tag: string;
  /** Its first line. */
  readonly statement: string;
  readonly startedAtMs: number;
  /** Undefined: it had not ended when the run did, or failed. */
  readonly durationMs?: number;
  /** Of it, waiting for other sessions. */
  readonly waitedMs: number;
}

/** A part of a run that is more than statements, such as the restore of a rehearsal. Times are epoch milliseconds. */
export interface RunPhase {
  readonly name: string;
  readonly startedAtMs: number;
  /** Undefined: it had not ended when the run did, or failed. */
  readonly durationMs?: number;
}

/** What verify has found, in the words of its own findings. */
export interface RunVerification {
  readonly verified: boolean;
  readonly findings: readonly {
    readonly level: string;
    readonly object: string;
    readonly expected: string;
    readonly found: string;
    readonly repair: string;
  }[];
}

/** Where a run works, and on whose behalf. */
export interface RunOrigin {
  readonly command: string;
  /** Version of this package. */
  readonly release: string;
  /** Host, port and database: never a password. */
  readonly target: string;
  /** Who ran it: the system's user, on which machine. */
  readonly operator: { readonly user: string; readonly host: string };
}

/** What a command comes to know while it works; it says so as soon as it does. */
export interface RunFacts {
  /** The database's role that it works as. */
  readonly role?: string;
  /** `server_version_num` */
  readonly versionNumber?: number;
  /** The backup that was demanded before it began. */
  readonly backup?: { readonly path: string; readonly sha256: string; readonly startedAtMs: number };
  /** The provider's snapshot that the operator has named. */
  readonly snapshot?: string;
  readonly analyzed?: readonly MaintenanceStep[];
  readonly verification?: RunVerification;
  /** What there is afterwards. `rows` as the server estimates them. */
  readonly tables?: readonly { readonly table: string; readonly rows?: number; readonly sizeBytes: number }[];
  readonly indexes?: readonly {
    readonly index: string;
    readonly table: string;
    readonly sizeBytes: number;
  }[];
}

/** How a run has ended. */
export interface RunEnd {
  readonly exitCode: number;
  /** What the command has printed. */
  readonly text?: string;
  /** What it prints with `--json`. */
  readonly result?: object;
  readonly error?: OperationErrorDetails;
}

/** What a command that writes leaves behind: the log of its run. */
export interface RunReport extends RunOrigin, RunFacts, Partial<RunEnd> {
  readonly startedAtMs: number;
  /** Undefined: the run was killed, or is still going on. */
  readonly endedAtMs?: number;
  /** `faults`: it is done, and what it verified at its end is not as it should be. */
  readonly outcome: 'running' | 'done' | 'faults' | 'failed';
  readonly steps: readonly RunStep[];
  /** One after the other; undefined where the run is its steps. */
  readonly phases?: readonly RunPhase[];
  /** Why and for how long it has rested between batches and builds. */
  readonly rests: readonly Rest[];
  /** Statements that were cancelled because others waited behind them, and tried again. */
  readonly stepBacks: readonly StepBack[];
  /** How far a standby was behind at most, while an index was built; left out where none was seen. */
  readonly longestLag?: LongestLag;
  /** What trading felt; undefined while the run goes on. */
  readonly tradeWaits?: TradeWaits;
}
