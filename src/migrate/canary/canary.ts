import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { Pace } from './pace.ts';
import { mostWaitMs, type Probe } from './probe.ts';
import { WaitRecord } from './wait-record.ts';
import type { TradeWaits } from './waits.ts';

/** 40 probes a second: a wait of 25 ms does not get past it, and it takes 2 % of a core. */
const beatMs = 25;

export interface CanaryListener {
  /** Each second: the longest wait in it, and of the run so far. */
  readonly onSecond: (longestMs: number, longestSoFarMs: number) => void;
  /** It waited too long, or it is lost; the run goes on. */
  readonly onFault: (message: string) => void;
}

/** What is known of it before it measures. */
export interface CanaryFacts {
  readonly limitMs: number;
  readonly flushes: boolean;
  readonly isSmall: boolean;
}

/** One that measures. `stop` ends it, as the end of its process does. */
export class Canary {
  readonly isSmall: boolean;
  readonly #session: Connection;
  readonly #probe: Probe;
  readonly #facts: CanaryFacts;
  readonly #listener: CanaryListener;
  readonly #record: WaitRecord;
  readonly #pace: Pace;
  readonly #told = new Set<string>();
  readonly #ended: Promise<void>;
  #isPrepared = false;
  #lost: string | undefined;
  #isStopping = false;

  /** Of its session. */
  get pid(): number {
    return this.#session.pid;
  }

  constructor(session: Connection, probe: Probe, facts: CanaryFacts, listener: CanaryListener) {
    this.#session = session;
    this.#probe = probe;
    this.#facts = facts;
    this.#listener = listener;
    this.isSmall = facts.isSmall;
    this.#record = new WaitRecord(beatMs, listener.onSecond);
    this.#pace = new Pace(session);
    this.#ended = this.#run();
  }

  /** What was measured so far is what trading feels without the run, which begins now. */
  beginWork(): void {
    this.#pace.learn(this.#record.beginWork());
  }

  async stop(): Promise<TradeWaits> {
    this.#isStopping = true;
    // A probe that waits behind others would hold up the end of the run.
    const isStuck = await Promise.race([this.#ended.then(() => false), sleep(500, true, { ref: false })]);
    // Gone with the session, where the request doesn't get through.
    if (isStuck) await this.#session.cancel().catch(() => {});
    await this.#ended;
    await this.#session.close();
    const { limitMs, flushes } = this.#facts;
    const { before, during, workedFromMs, timeline } = this.#record.read();
    return {
      measured: true,
      before,
      during,
      workedFromMs,
      limitMs,
      slowAboveMs: this.#pace.slowAboveMs,
      flushes,
      timeline,
      lost: this.#lost,
    };
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const startedAt = performance.now();
      try {
        await this.#visit().catch((error: unknown) => this.#takeFault(error));
        const tookMs = performance.now() - startedAt;
        this.#record.record(tookMs);
        await this.#pace.tell(tookMs);
      } catch (error) {
        if (this.#isStopping) return;
        this.#lost = error instanceof Error ? error.message : String(error);
        this.#listener.onFault(`what trading feels can’t be measured any more: ${this.#lost}`);
        return;
      }
      await sleep(Math.max(1, beatMs - (performance.now() - startedAt)));
    }
  }

  async #visit(): Promise<void> {
    if (!this.#isPrepared)
      for (const statement of this.#probe.prepare) await this.#session.execute(statement);
    this.#isPrepared = true;
    await this.#session.execute(this.#probe.run);
  }

  /** A wait that ended in a timeout or a deadlock is a wait; all else ends the measuring. */
  async #takeFault(error: unknown): Promise<void> {
    const state = error instanceof OperationError ? error.sqlState : undefined;
    if (state === undefined || !['55P03', '57014', '40P01'].includes(state)) throw error;
    await this.#session.execute('rollback');
    if (this.#isStopping || this.#told.has(state)) return;
    this.#told.add(state);
    this.#listener.onFault(
      state === '40P01'
        ? 'a probe of the trade waits was the victim of a deadlock of others'
        : `a probe of the trade waits gave up after ${mostWaitMs / 1_000} s`,
    );
  }
}
