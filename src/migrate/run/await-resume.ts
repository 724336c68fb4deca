import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import { describePause, readPause } from '../pause.ts';
import type { ProgressListener } from './progress.ts';

const lookEveryMs = 250;
/** As often as the files say it while they rest. */
const tellEveryMs = 30_000;

/** Of a run, what is needed here. */
interface Waiter {
  readonly connection: Connection;
  readonly emit: ProgressListener;
  refuseAborted(): void;
}

/**
 * Waits as long as runs on this database are paused: before the first statement, as the files do between two. No
 * transaction is open meanwhile, and `--max-wait` does not count: an operator has decided, and another one will.
 *
 * @throws OperationError `INTERRUPTED`
 */
export async function awaitResume(run: Waiter, tag: string): Promise<void> {
  const startedAtMs = Date.now();
  let toldAtMs: number | undefined;
  for (;;) {
    const pause = await readPause(run.connection);
    if (pause === undefined) break;
    if (toldAtMs === undefined || Date.now() - toldAtMs >= tellEveryMs) {
      run.emit({ kind: 'resting', tag, reason: 'pause', message: describePause(pause) });
      toldAtMs = Date.now();
    }
    await sleep(lookEveryMs);
    run.refuseAborted();
  }
  if (toldAtMs !== undefined)
    run.emit({ kind: 'rested', tag, reason: 'pause', durationMs: Date.now() - startedAtMs });
}
