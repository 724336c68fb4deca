import { describeSessions } from '../../connection/activity.ts';
import type { TradeWaits } from '../canary/waits.ts';
import type { ProgressEvent, RestReason } from './progress.ts';

/** Why and for how long a run has rested. Rests for one reason in close sequence are one. */
export interface Rest {
  readonly tag: string;
  readonly reason: RestReason;
  /** In words: who has paused it, which standby is late. */
  readonly message: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Of the time between the two. */
  readonly restedMs: number;
  /** How many rests these are. */
  readonly times: number;
}

/** A statement that was cancelled, because others waited behind it, and tried again. */
export interface StepBack {
  readonly tag: string;
  readonly statement: string;
  readonly atMs: number;
  /** How long the first of them had waited. */
  readonly waitedMs: number;
  /** Who waited: pid, application, statement without literals. */
  readonly behind: string;
}

/** How far a standby was behind, at most, in a statement that can't rest: an index build. */
export interface LongestLag {
  readonly tag: string;
  readonly statement: string;
  readonly standby: string;
  readonly lagMs: number;
  readonly atMs: number;
}

/** Further apart, they are two. */
const closeMs = 5_000;
/** Bounds on what a run of a night keeps; what comes on top is counted with the last of its reason. */
const mostRests = 200;
const mostStepBacks = 200;

/** Notes of what a run reports why it rested and stepped back, and what trading and the standbys felt. */
export class RunLedger {
  #rests: Rest[] = [];
  readonly #stepBacks: StepBack[] = [];
  #message = '';
  #restedMs = 0;
  #tradeWaits: TradeWaits | undefined;
  #longestLag: LongestLag | undefined;

  record(event: ProgressEvent): void {
    if (event.kind === 'resting') this.#message = event.message;
    else if (event.kind === 'rested') this.#addRest(event);
    else if (event.kind === 'stepped back') {
      const { tag, statement, waitedMs } = event;
      const behind = event.for.length === 0 ? 'the victim of a deadlock' : describeSessions(event.for);
      if (this.#stepBacks.length < mostStepBacks)
        this.#stepBacks.push({ tag, statement, atMs: Date.now(), waitedMs, behind });
    } else if (event.kind === 'trade waits') this.#tradeWaits = event.waits;
    else if (event.kind === 'longest lag') {
      const { kind: _, ...lag } = event;
      if (this.#longestLag === undefined || lag.lagMs > this.#longestLag.lagMs) this.#longestLag = lag;
    }
  }

  get rests(): readonly Rest[] {
    return [...this.#rests];
  }

  get stepBacks(): readonly StepBack[] {
    return [...this.#stepBacks];
  }

  get tradeWaits(): TradeWaits | undefined {
    return this.#tradeWaits;
  }

  get longestLag(): LongestLag | undefined {
    return this.#longestLag;
  }

  /** All rests so far. */
  get restedMs(): number {
    return this.#restedMs;
  }

  #addRest({ tag, reason, durationMs }: Extract<ProgressEvent, { kind: 'rested' }>): void {
    this.#restedMs += durationMs;
    const endedAtMs = Date.now();
    const message = reason === 'trade' ? 'trading was slower than before' : this.#message;
    const startedAtMs = endedAtMs - durationMs;
    const at = this.#rests.findLastIndex((rest) => rest.reason === reason && rest.tag === tag);
    const last = this.#rests[at];
    const isFull = this.#rests.length >= mostRests;
    if (last !== undefined && (startedAtMs - last.endedAtMs <= closeMs || isFull)) {
      const restedMs = last.restedMs + durationMs;
      this.#rests[at] = { ...last, message, endedAtMs, restedMs, times: last.times + 1 };
    } else if (!isFull)
      this.#rests.push({ tag, reason, message, startedAtMs, endedAtMs, restedMs: durationMs, times: 1 });
  }
}
