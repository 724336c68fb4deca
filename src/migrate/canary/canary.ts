import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { WaitHistogram, type WaitSummary } from './histogram.ts';
import {
  findTables,
  holdSlow,
  holdWatching,
  measureTables,
  mostWaitMs,
  type Probe,
  prepareSession,
  releaseSlow,
  writeProbe,
} from './probe.ts';
import { TimelineKeeper } from './timeline.ts';
import type { TradeWaits } from './waits.ts';

/** 40 probes a second: a wait of 25 ms does not get past it, and it takes 2 % of a core. */
const beatMs = 25;
/** Tables smaller than this are migrated in the time that it would take to look at them first. */
const leastBytes = 8 * 1024 * 1024;
/** So many quick probes, a tenth of a second, end a time in which trading is slow. */
const quickAgain = 4;
/** Without a baseline; with one, twice its p99, and never below 5 ms: what a flush takes on a disk that has other work. */
const slowMs = { unknown: 20, least: 5, factor: 2 };

export interface CanaryListener {
  /** Each second: the longest wait in it, and of the run so far. */
  readonly onSecond: (longestMs: number, longestSoFarMs: number) => void;
  /** It waited too long, or it is lost; the run goes on. */
  readonly onFault: (message: string) => void;
}

/**
 * Measures what trading feels, in a session of its own. Where it can't, it says why, and the run goes on without: a
 * database with one session, tables that are not there yet, a role that may not lock them.
 */
export async function startCanary(
  connection: Connection,
  tables: readonly string[],
  limitMs: number,
  listener: CanaryListener,
): Promise<Canary | { readonly off: string }> {
  let session: Connection | undefined;
  try {
    if (connection.kind === 'embedded') return { off: 'an embedded database has one session' };
    const found = await findTables(connection, tables);
    if (tables.length === 0) return { off: 'the folder has no catalog.json, so its tables are not known' };
    if (found.tables.length === 0) return { off: 'the tables are not there yet' };
    if (found.barred.length > 0)
      return { off: `this role may not read ${found.barred.join(', ')} and lock it as a writer does` };
    session = await connection.openSecond();
    if (session === undefined) return { off: 'there is no second session to measure with' };
    const { flushes } = await prepareSession(session);
    const probe = writeProbe(found.tables, flushes);
    const bytes = await measureTables(session, found.tables);
    return new Canary(
      session,
      probe,
      { limitMs, flushes, isSmall: bytes !== undefined && bytes < leastBytes },
      listener,
    );
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    await session?.close();
    return { off: error.serverMessage ?? error.message };
  }
}

interface CanaryFacts {
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
  readonly #timeline = new TimelineKeeper(Date.now());
  readonly #told = new Set<string>();
  readonly #ended: Promise<void>;
  #histogram = new WaitHistogram();
  #before: WaitSummary | undefined;
  #workedFromMs: number | undefined;
  #slowAboveMs = slowMs.unknown;
  #isPrepared = false;
  #isWatching = false;
  #isHeld = false;
  #quick = 0;
  #second = { startedAtMs: Date.now(), longestMs: 0 };
  #longestMs = 0;
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
    this.#ended = this.#run();
  }

  /** What was measured so far is what trading feels without the run, which begins now. */
  beginWork(): void {
    this.#before = this.#histogram.summarize();
    this.#histogram = new WaitHistogram();
    this.#workedFromMs = Date.now();
    this.#longestMs = 0;
    if (this.#before !== undefined)
      this.#slowAboveMs = Math.max(slowMs.least, slowMs.factor * this.#before.p99Ms);
  }

  async stop(): Promise<TradeWaits> {
    this.#isStopping = true;
    // A probe that waits behind others would hold up the end of the run.
    const isStuck = await Promise.race([this.#ended.then(() => false), sleep(500, true, { ref: false })]);
    // Gone with the session, where the request doesn't get through.
    if (isStuck) await this.#session.cancel().catch(() => {});
    await this.#ended;
    await this.#session.close();
    const measured = this.#histogram.summarize();
    const isWorking = this.#workedFromMs !== undefined;
    return {
      measured: true,
      before: isWorking ? this.#before : measured,
      during: isWorking ? measured : undefined,
      workedFromMs: this.#workedFromMs,
      limitMs: this.#facts.limitMs,
      slowAboveMs: this.#slowAboveMs,
      flushes: this.#facts.flushes,
      timeline: this.#timeline.read(),
      lost: this.#lost,
    };
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const startedAt = performance.now();
      try {
        await this.#visit().catch((error: unknown) => this.#takeFault(error));
        const tookMs = performance.now() - startedAt;
        this.#record(tookMs);
        // Until then the database rests as if nobody measured.
        if (!this.#isWatching) this.#isWatching = await holdWatching(this.#session);
        await this.#tellPace(tookMs);
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

  /** The probes that were due while one waited would have waited, too: else the longest waits are the fewest. */
  #record(tookMs: number): void {
    const nowMs = Date.now();
    for (let waitMs = tookMs; waitMs > 0; waitMs -= beatMs) {
      this.#histogram.record(waitMs);
      this.#timeline.record(nowMs - waitMs, waitMs);
    }
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    const longestMs = Math.max(this.#second.longestMs, tookMs);
    this.#second = { ...this.#second, longestMs };
    if (nowMs - this.#second.startedAtMs < 1_000) return;
    this.#second = { startedAtMs: nowMs, longestMs: 0 };
    this.#listener.onSecond(longestMs, this.#longestMs);
  }

  async #tellPace(tookMs: number): Promise<void> {
    if (tookMs > this.#slowAboveMs) {
      this.#quick = 0;
      if (!this.#isHeld) this.#isHeld = await holdSlow(this.#session);
    } else if (this.#isHeld && ++this.#quick >= quickAgain) {
      await releaseSlow(this.#session);
      this.#isHeld = false;
    }
  }
}
