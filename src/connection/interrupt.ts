import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';

/**
 * What a command has for ending its work in good order when it is told to stop: to cancel its statement, roll back, put
 * back settings, remove a half file. Then its sessions are cut off, so that it is gone within two seconds.
 */
export const graceMs = 1_000;

/** How long a client program that was told to stop may take; less than `graceMs`, because its file is removed after it. */
export const programGraceMs = 600;

export const interruptedWhileOpening = (target: string): OperationError =>
  new OperationError({
    code: 'INTERRUPTED',
    message: `interrupted while connecting to ${target}; nothing was changed`,
    advice: 'Run the same command again.',
  });

/** A session whose server did not answer when it was told to stop. */
export const abandoned = ({ target, pid }: Pick<Connection, 'target' | 'pid'>): OperationError =>
  new OperationError({
    code: 'INTERRUPTED',
    message: `interrupted; ${target} has not answered the cancel request, and was left`,
    advice: `What was committed stays, and what was not is rolled back when the server notices that nobody listens. Until then it may work on, and hold locks. To end it at once: select pg_terminate_backend(${pid}); What is there now: multi-pair-db status`,
  });
