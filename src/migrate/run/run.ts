import type { Connection } from '../../connection/connection.ts';
import { OperationError, summarizeStatement } from '../../connection/errors.ts';
import { type Sight, watchWork } from '../../connection/watch.ts';
import type { Canary } from '../canary/canary.ts';
import { scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { restsItself } from '../plan/frame.ts';
import { firstLine } from '../plan/head.ts';
import type { PlanStep } from '../plan/step.ts';
import type { Project } from '../project.ts';
import { awaitResume } from './await-resume.ts';
import { LagWatch } from './lag-watch.ts';
import { RunLedger } from './ledger.ts';
import { beginMeasuring } from './measuring.ts';
import {
  defaultMaxReplicaLagMs,
  defaultMaxTradeWaitMs,
  defaultMaxWaitMs,
  type RunAccount,
  type RunningFile,
  type RunOptions,
  type StepReport,
} from './options.ts';
import { crowdedAfterMs, Patience } from './patience.ts';
import { createNoticeReader, type ProgressListener } from './progress.ts';

/** One run on one connection: sends statements, watches them, and stops them when told to. */
export class Run {
  readonly connection: Connection;
  /** Settles when a cancel request that is under way has reached the server: none may hit a later statement. */
  cancelled: Promise<void> = Promise.resolve();
  readonly #second: Connection | undefined;
  readonly #project: Project;
  readonly #options: RunOptions;
  readonly #ledger = new RunLedger();
  readonly #lagWatch: LagWatch | undefined;
  #canary: Canary | undefined;
  #isBlind = false;

  constructor(connection: Connection, second: Connection | undefined, project: Project, options: RunOptions) {
    this.connection = connection;
    this.#second = second;
    this.#project = project;
    this.#options = options;
    const limitMs = options.maxReplicaLagMs ?? defaultMaxReplicaLagMs;
    this.#lagWatch = limitMs > 0 ? new LagWatch(limitMs, this.emit) : undefined;
  }

  readonly emit: ProgressListener = (event) => {
    this.#ledger.record(event);
    this.#options.onProgress?.(event);
  };

  /** Rests so far: no time of waiting for others. */
  get restedMs(): number {
    return this.#ledger.restedMs;
  }

  /** Before the first statement: waits while runs are paused, and begins to measure what trading feels. */
  async beginWork(tag: string): Promise<void> {
    await awaitResume(this, tag);
    const { tables } = scopeOf(await findCatalogFile(this.#project.folder));
    const { baselineMs, signal } = this.#options;
    this.#canary = await beginMeasuring(this.connection, tables, {
      tag,
      limitMs: this.maxTradeWaitMs,
      baselineMs,
      signal,
      emit: this.emit,
    });
    this.refuseAborted();
  }

  /** Ends the measuring, and tells what it has found; the second time it does nothing. */
  async endMeasuring(): Promise<void> {
    const canary = this.#canary;
    this.#canary = undefined;
    if (canary !== undefined) this.emit({ kind: 'trade waits', waits: await canary.stop() });
  }

  /** What it reports beside its work, which has ended. */
  async account(): Promise<RunAccount> {
    await this.endMeasuring();
    const { tradeWaits, rests, stepBacks, longestLag } = this.#ledger;
    return { tradeWaits, rests, stepBacks, longestLag };
  }

  get maxWaitMs(): number {
    return this.#options.maxWaitMs ?? defaultMaxWaitMs;
  }

  get maxTradeWaitMs(): number {
    return this.#options.maxTradeWaitMs ?? defaultMaxTradeWaitMs;
  }

  /** @throws OperationError `INTERRUPTED` once the run was told to stop. */
  refuseAborted(): void {
    if (this.#options.signal?.aborted !== true) return;
    throw new OperationError({
      code: 'INTERRUPTED',
      message: 'told to stop before the next statement',
      advice: '',
    });
  }

  /**
   * Runs one step, watches it, and cancels it when told to.
   *
   * @param mayStepBack it can be tried again: cancel it where somebody waits behind it for too long
   * @throws SteppedBack
   */
  async step(step: PlanStep, running: RunningFile, mayStepBack = false): Promise<StepReport> {
    this.refuseAborted();
    const startedAtMs = Date.now();
    const waitedMs = await this.#send(step, running, mayStepBack);
    return {
      statement: summarizeStatement(step.sql),
      line: step.line,
      startedAtMs,
      durationMs: Date.now() - startedAtMs,
      waitedMs,
    };
  }

  async #send(step: PlanStep, running: RunningFile, mayStepBack: boolean): Promise<number> {
    const stopListening = this.connection.onNotice(createNoticeReader(running.tag, this.emit));
    const cancel = (): void => {
      this.cancelled = this.#cancel(running.tag);
    };
    this.#options.signal?.addEventListener('abort', cancel);
    const lagWatch = restsItself(step.sql) ? undefined : this.#lagWatch;
    lagWatch?.begin({ tag: running.tag, statement: firstLine(step.sql) });
    const patience = new Patience({
      maxWaitMs: this.maxWaitMs,
      maxTradeWaitMs: mayStepBack ? crowdedAfterMs(step.sql, this.maxTradeWaitMs) : undefined,
      triesItself: step.facts.exclusive !== undefined,
    });
    const work = this.connection.execute(step.sql, { file: running.file, line: step.line });
    try {
      if (this.#second === undefined || this.#isBlind) {
        await work;
        return 0;
      }
      const watched = {
        pid: this.connection.pid,
        exclusive: step.facts.exclusive ?? [],
        companionPid: this.#canary?.pid,
      };
      const waitedMs = await watchWork(work, this.#second, watched, {
        alsoLook: async (second) => lagWatch?.look(second),
        onLook: (sight) => {
          this.#report(sight, running.tag);
          if (patience.ends(sight)) cancel();
        },
        onBlind: (error) => {
          this.#isBlind = true;
          this.#notify(running.tag, 'progress can’t be watched any more', error);
        },
      });
      await this.cancelled;
      await lagWatch?.handOver(this.connection);
      return waitedMs;
    } catch (error) {
      if (step.optional && error instanceof OperationError && error.sqlState?.startsWith('22')) return 0;
      await this.cancelled;
      throw patience.explain(error);
    } finally {
      lagWatch?.end();
      stopListening();
      this.#options.signal?.removeEventListener('abort', cancel);
    }
  }

  /** Asks the server to cancel: by the protocol, else by SQL from the second session. Never fails. */
  async #cancel(tag: string): Promise<void> {
    try {
      await this.connection.cancel().catch(async (error: unknown) => {
        if (this.#second === undefined) throw error;
        await this.#second.query('select pg_cancel_backend($1)', [this.connection.pid]);
      });
    } catch (error) {
      this.#notify(tag, `pid ${this.connection.pid} could not be cancelled and works on`, error);
    }
  }

  #notify(tag: string, what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.emit({ kind: 'notice', tag, message: `${what}: ${reason}` });
  }

  #report({ progress, waitingFor, waitedMs }: Sight, tag: string): void {
    if (progress?.index !== undefined) this.emit({ kind: 'index', tag, ...progress, index: progress.index });
    if (waitingFor.length > 0) this.emit({ kind: 'waiting', tag, for: waitingFor, waitedMs });
  }
}
