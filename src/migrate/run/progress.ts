import type { SessionActivity } from '../../connection/activity.ts';
import type { Notice } from '../../connection/connection.ts';
import type { TradeWaits } from '../canary/waits.ts';

/**
 * Why a run rests: it is paused, a standby lags, the WAL archive fails, or trading is slower than it was before.
 */
export type RestReason = 'pause' | 'lag' | 'archive' | 'trade';

/** What a running migration or rollback reports. */
export type ProgressEvent =
  /** Another run holds the migrations' lock. */
  | { readonly kind: 'lock'; readonly holders: readonly SessionActivity[]; readonly waitedMs: number }
  /** What will be run: the files in order, with the first line of each of their statements. */
  | {
      readonly kind: 'planned';
      readonly files: readonly { readonly tag: string; readonly statements: readonly string[] }[];
    }
  | {
      readonly kind: 'started';
      readonly tag: string;
      readonly number: number;
      readonly of: number;
      /** It is applied, and run again because something of it is missing or damaged. */
      readonly isRepair: boolean;
      /** It is undone. */
      readonly isUndo?: boolean;
    }
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
      /** What is filled: `sessions`. */
      readonly rows: string;
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
  /** The statement was cancelled, because these sessions waited behind it for too long; it is tried again. */
  | {
      readonly kind: 'stepped back';
      readonly tag: string;
      readonly for: readonly SessionActivity[];
      readonly tries: number;
      /** Its first line. */
      readonly statement: string;
      /** How long the first of them had waited; 0 where PostgreSQL ended a deadlock. */
      readonly waitedMs: number;
    }
  /** It rests, and why; said again every 30 s. */
  | { readonly kind: 'resting'; readonly tag: string; readonly reason: RestReason; readonly message: string }
  /** It goes on. Rests of less than 100 ms are not told. */
  | {
      readonly kind: 'rested';
      readonly tag: string;
      readonly reason: RestReason;
      readonly durationMs: number;
    }
  /**
   * In a statement that can't rest, an index build, a standby has not replayed for longer than the limit what was written; said
   * again every 30 s. The build goes on, and the file rests right after it.
   */
  | {
      readonly kind: 'lagging';
      readonly tag: string;
      readonly statement: string;
      readonly standby: string;
      readonly lagMs: number;
    }
  /** Such a statement has ended, or failed: so far, and then, a standby was behind at most. */
  | {
      readonly kind: 'longest lag';
      readonly tag: string;
      readonly statement: string;
      readonly standby: string;
      readonly lagMs: number;
      readonly atMs: number;
    }
  /** For so long trading is measured before the run begins to work. */
  | { readonly kind: 'measuring'; readonly forMs: number }
  /** Once a second: the longest wait of a probe in it, and since the run began to work. */
  | { readonly kind: 'trade wait'; readonly longestMs: number; readonly longestSoFarMs: number }
  /** At the end, also of a run that fails: what trading felt. */
  | { readonly kind: 'trade waits'; readonly waits: TradeWaits }
  /** The server, or the migrator, has something to say. */
  | { readonly kind: 'notice'; readonly tag: string; readonly message: string }
  | { readonly kind: 'finished'; readonly tag: string; readonly durationMs: number };

/** Told of each step of a run, as it happens. */
export type ProgressListener = (event: ProgressEvent) => void;

/** One batch of a backfill, as the files say it: `…: pass 1, 500 of 2000 sessions, 500 filled in 20.1 ms`. */
const batchNotice = /: pass (\d+), (\d+) of (\d+) (\w+), \d+ filled/;

/** `…: rests: lag: standby s1 has not replayed for 12 s …` */
const restsNotice = /: rests: (pause|lag|archive|trade): ([\s\S]+)$/;
/** `…: rested for 1200 ms: lag` */
const restedNotice = /: rested for (\d+) ms: (pause|lag|archive|trade)$/;

const reasons: Readonly<Record<string, RestReason>> = {
  pause: 'pause',
  lag: 'lag',
  archive: 'archive',
  trade: 'trade',
};

function readRest(tag: string, message: string): ProgressEvent | undefined {
  const rests = restsNotice.exec(message);
  const rested = restedNotice.exec(message);
  const reason = reasons[rests?.[1] ?? rested?.[2] ?? ''];
  if (reason === undefined) return undefined;
  return rested === null
    ? { kind: 'resting', tag, reason, message: rests?.[2] ?? '' }
    : { kind: 'rested', tag, reason, durationMs: Number(rested[1]) };
}

/** What the time left is judged by: a run that goes on passes over what is filled already, and then slows down. */
const recentMs = 5_000;

/** Turns the notices of a file into progress. */
export function createNoticeReader(tag: string, emit: ProgressListener): (notice: Notice) => void {
  let pass = 0;
  let seen: { readonly atMs: number; readonly done: number }[] = [];
  return ({ message }) => {
    const match = batchNotice.exec(message);
    if (match === null) {
      // "already exists, skipping" is what a file that can be run twice expects.
      if (!message.endsWith(', skipping')) emit(readRest(tag, message) ?? { kind: 'notice', tag, message });
      return;
    }
    const [number = 0, done = 0, total = 0] = match.slice(1, 4).map(Number);
    const atMs = Date.now();
    if (number !== pass) {
      pass = number;
      seen = [];
    }
    seen = [...seen.filter((one) => one.atMs >= atMs - recentMs), { atMs, done }];
    const remainingMs = estimateRemainingMs(seen, total);
    emit({ kind: 'backfill', tag, pass, done, total, rows: match[4] ?? 'rows', remainingMs });
  };
}

function estimateRemainingMs(
  seen: readonly { readonly atMs: number; readonly done: number }[],
  total: number,
): number | undefined {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const elapsedMs = last.atMs - first.atMs;
  // The first batches are small; an estimate from them would frighten.
  if (elapsedMs <= 1_000 || last.done <= first.done) return undefined;
  return Math.round((elapsedMs / (last.done - first.done)) * (total - last.done));
}
