import { adviseToEnd, describeSessions } from '../../connection/activity.ts';
import { OperationError } from '../../connection/errors.ts';
import { formatDuration } from '../../connection/units.ts';
import type { Sight } from '../../connection/watch.ts';

/** Not where the operator cancelled it, or it failed by itself in the same moment. */
export const isCancelled = (error: unknown): boolean =>
  error instanceof OperationError && error.sqlState === '57014';

export const isLockTimeout = (error: unknown): boolean =>
  error instanceof OperationError && error.sqlState === '55P03';

/** Somebody was in the way for longer than a statement may wait; who it is, and the command that ends it. */
export function waitedTooLong(
  { waitingFor, waitingMs }: Sight,
  error: unknown,
  maxWaitMs: number,
): OperationError {
  const { file, line, statement, sqlState, serverMessage } = error instanceof OperationError ? error : {};
  // A block that already holds the locks of tables waits 50 ms for the next one, whatever the flag says. Half,
  // because a wait is seen a little later than it begins.
  const isForTheFlag = waitingMs >= maxWaitMs / 2;
  return new OperationError({
    code: 'LOCKED',
    message: `gave up after waiting ${formatDuration(waitingMs)} for ${describeSessions(waitingFor)}`,
    advice: `${adviseToEnd(waitingFor)} Then run the same command again.${isForTheFlag ? ` --max-wait waits longer than ${formatDuration(maxWaitMs)}.` : ''}`,
    file,
    line,
    statement,
    sqlState,
    // Of our own cancelling it says that a user has asked for it, and of a lock what is said here already.
    serverMessage: isCancelled(error) || isLockTimeout(error) ? undefined : serverMessage,
  });
}
