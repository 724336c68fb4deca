/** Milliseconds of a clock that both processes read: of the machine, and finer than a millisecond. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** A statement of a service, from when it was sent to when it was answered. */
export interface Wait {
  readonly service: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What services have waited since they were asked last. */
export interface Waits {
  readonly statements: number;
  /** Those that took longer than `keptFromMs`. */
  readonly long: readonly Wait[];
  /** The same of statements that touch no table: what the machine itself took. */
  readonly pulses: readonly Wait[];
}

/** A statement that is quicker is nobody's wait. */
export const keptFromMs = 100;
/** The machine is looked at more closely. */
export const pulseKeptFromMs = 30;

export class WaitRecorder {
  #statements = 0;
  #long: Wait[] = [];
  #pulses: Wait[] = [];

  record(wait: Wait): void {
    this.#statements++;
    if (wait.toMs - wait.fromMs >= keptFromMs) this.#long.push(wait);
  }

  recordPulse(wait: Wait): void {
    if (wait.toMs - wait.fromMs >= pulseKeptFromMs) this.#pulses.push(wait);
  }

  take(): Waits {
    const taken = { statements: this.#statements, long: this.#long, pulses: this.#pulses };
    this.#statements = 0;
    this.#long = [];
    this.#pulses = [];
    return taken;
  }
}
