import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { lookAtStandbys, type ReplayMark, type StandbySight } from '../canary/replica-lag.ts';
import { frameSchema } from '../plan/frame.ts';
import type { ProgressListener } from './progress.ts';

/** As often as the files look while they rest. */
const lookEveryMs = 250;
/** As often as the files say why they rest. */
const tellEveryMs = 30_000;

/** The statement that is looked at. */
interface Statement {
  readonly tag: string;
  readonly statement: string;
}

/**
 * Looks at the standbys while a statement runs that can't rest: an index build. It is not stopped for them, because to drop
 * what is half built and to build it again costs a standby more. But the file rests right after it.
 */
export class LagWatch {
  readonly #limitMs: number;
  readonly #emit: ProgressListener;
  #statement: Statement = { tag: '', statement: '' };
  #mark: ReplayMark | undefined;
  #last: StandbySight | undefined;
  #longest: { readonly standby: string; readonly lagMs: number; readonly atMs: number } | undefined;
  #lookedAtMs = 0;
  #toldAtMs: number | undefined;
  #isOff = false;

  constructor(limitMs: number, emit: ProgressListener) {
    this.#limitMs = limitMs;
    this.#emit = emit;
  }

  begin(statement: Statement): void {
    this.#statement = statement;
    this.#last = undefined;
    this.#longest = undefined;
    this.#toldAtMs = undefined;
  }

  /** Asked ten times a second, it looks four times. A role that may not look is told once, and the run goes on. */
  async look(session: Connection): Promise<void> {
    if (this.#isOff || Date.now() - this.#lookedAtMs < lookEveryMs) return;
    try {
      this.#last = await lookAtStandbys(session, this.#mark);
    } catch (error) {
      if (!(error instanceof OperationError) || error.sqlState === undefined) throw error;
      this.#isOff = true;
      const message = `how far standbys are behind can’t be seen: ${error.serverMessage ?? error.message}`;
      this.#emit({ kind: 'notice', tag: this.#statement.tag, message });
    }
    this.#lookedAtMs = Date.now();
    this.#mark = this.#last?.mark;
    if (this.#last !== undefined) this.#note(this.#last);
  }

  /** Tells how far the standbys were behind at most, also of a statement that has failed. */
  end(): void {
    if (this.#longest !== undefined)
      this.#emit({ kind: 'longest lag', ...this.#statement, ...this.#longest });
  }

  /**
   * After a statement that has left a standby behind for longer than the limit. The frame has looked last before it, when
   * all was well: it is told what is to be replayed since when, and rests where it looks next.
   */
  async handOver(connection: Connection): Promise<void> {
    if (this.#last === undefined || this.#last.lagMs <= this.#limitMs) return;
    const { mark, sinceMs } = this.#last;
    // The time is written and read by this session's own settings.
    await connection.query(
      `select set_config('${frameSchema}.replay_mark', format('%s|%s|no', $1::text, to_timestamp($2::float8 / 1000)), false),
              set_config('${frameSchema}.look_again_at', '', false)`,
      [mark.position, sinceMs],
    );
  }

  #note({ standby, lagMs }: StandbySight): void {
    const atMs = Date.now();
    if (this.#longest === undefined || lagMs > this.#longest.lagMs) this.#longest = { standby, lagMs, atMs };
    if (lagMs <= this.#limitMs || atMs - (this.#toldAtMs ?? 0) < tellEveryMs) return;
    this.#toldAtMs = atMs;
    this.#emit({ kind: 'lagging', ...this.#statement, standby, lagMs });
  }
}
