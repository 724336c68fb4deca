import type { SessionActivity } from '../../connection/activity.ts';

/** A statement was cancelled because others waited behind it for too long. It is tried again; nobody outside sees this. */
export class SteppedBack extends Error {
  override readonly name = 'SteppedBack';
  /** Who waited. */
  readonly behind: readonly SessionActivity[];
  readonly waitedMs: number;

  constructor(behind: readonly SessionActivity[], waitedMs: number) {
    super('others waited behind the statement');
    this.behind = behind;
    this.waitedMs = waitedMs;
  }
}
