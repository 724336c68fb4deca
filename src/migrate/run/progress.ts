import type { SessionActivity } from '../../connection/activity.ts';
import type { Notice } from '../../connection/connection.ts';
import type { MigrationFacts } from '../project.ts';

/** What a running migration or rollback reports. */
export type ProgressEvent =
  /** Another run holds the migrations' lock. */
  | { readonly kind: 'lock'; readonly holders: readonly SessionActivity[]; readonly waitedMs: number }
  | { readonly kind: 'started'; readonly tag: string; readonly number: number; readonly of: number }
  /** A statement of the file begins. */
  | {
      readonly kind: 'statement';
      readonly tag: string;
      readonly statement: string;
      readonly number: number;
      readonly of: number;
    }
  /** Batches of a backfill. `remainingMs` is for this pass, once it can be told. */
  | {
      readonly kind: 'backfill';
      readonly tag: string;
      readonly pass: number;
      readonly done: number;
      readonly total: number;
      readonly remainingMs: number | undefined;
    }
  /** An index is being built. `share` of the phase, 0 to 1, where the server knows it. */
  | {
      readonly kind: 'index';
      readonly tag: string;
      readonly index: string;
      readonly phase: string;
      readonly share: number | undefined;
    }
  /** The running statement waits for these sessions. */
  | {
      readonly kind: 'waiting';
      readonly tag: string;
      readonly for: readonly SessionActivity[];
      readonly waitedMs: number;
    }
  /** The server, or the migrator, has something to say. */
  | { readonly kind: 'notice'; readonly tag: string; readonly message: string }
  | { readonly kind: 'finished'; readonly tag: string; readonly durationMs: number };

export type ProgressListener = (event: ProgressEvent) => void;

/** Turns the notices of a file into progress. */
export function createNoticeReader(
  tag: string,
  { readProgress }: MigrationFacts,
  emit: ProgressListener,
): (notice: Notice) => void {
  let pass = 0;
  let startedAt = Date.now();
  return ({ message }) => {
    const progress = readProgress?.(message);
    if (progress === undefined) {
      // "already exists, skipping" is what a file that can be run twice expects.
      if (!message.endsWith(', skipping')) emit({ kind: 'notice', tag, message });
      return;
    }
    if (progress.pass !== pass) {
      pass = progress.pass;
      startedAt = Date.now();
    }
    const { done, total } = progress;
    const elapsedMs = Date.now() - startedAt;
    // The first batches are small; an estimate from them would frighten.
    const remainingMs =
      elapsedMs > 1_000 && done > 0 ? Math.round((elapsedMs / done) * (total - done)) : undefined;
    emit({ kind: 'backfill', tag, pass, done, total, remainingMs });
  };
}
