import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';
import { liftLimits } from './limits.ts';
import { refusePooler } from './pooler.ts';
import { readSettings, restoreSettings } from './settings.ts';

/** What long work takes beside its own options. */
export interface WorkOptions {
  /** Ends the work: the running statement is cancelled on the server, what is committed stays. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what is going on, in words for an operator. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** Runs `work` in one transaction; whatever it throws undoes it. */
export async function inTransaction<Result>(
  connection: Connection,
  mode: '' | 'isolation level repeatable read read only',
  work: () => Promise<Result>,
): Promise<Result> {
  await connection.execute(`begin ${mode}`);
  try {
    const result = await work();
    await connection.execute('commit');
    return result;
  } catch (error) {
    // A lost connection has rolled back already; its error is the one worth reading.
    await connection.execute('rollback').catch(() => {});
    throw error;
  }
}

/**
 * Lifts the limits of a role or host that would end maintenance half way, and has the server notice a client that is
 * gone; puts all of it back at the end. Nothing that runs under it may wait for a lock that others queue behind.
 *
 * @throws OperationError `POOLED`: a pooler in transaction mode would give these settings to some other service
 */
export async function liftTimeLimits(connection: Connection): Promise<AsyncDisposable> {
  await refuseSharedSession(connection);
  const before = await readSettings(connection);
  for (const { sql, optional } of liftLimits(connection.versionNumber)) {
    await connection.execute(sql).catch((error: unknown) => {
      // Not every platform can notice that a client is gone; there a statement ends by itself.
      if (!(optional && error instanceof OperationError && error.sqlState?.startsWith('22'))) throw error;
    });
  }
  return {
    [Symbol.asyncDispose]: () =>
      // Where it fails, the session is gone, and its settings with it.
      restoreSettings(connection, before).catch(() => {}),
  };
}

async function refuseSharedSession(connection: Connection): Promise<void> {
  await using second = await connection.openSecond();
  if (second !== undefined) await refusePooler(connection, second);
}

/** Cancels what runs in `connection` when `signal` is aborted, until it is disposed of. */
export function cancelOnAbort(connection: Connection, { signal, onProgress }: WorkOptions): Disposable {
  const cancel = (): void => {
    connection.cancel().catch((error: unknown) => {
      onProgress?.(`could not be cancelled: ${error instanceof Error ? error.message : String(error)}`);
    });
  };
  signal?.addEventListener('abort', cancel);
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', cancel) };
}

/** For the places between two statements, where there is nothing to cancel. */
export function throwIfAborted(signal: AbortSignal | undefined, done: string): void {
  if (signal?.aborted !== true) return;
  throw new OperationError({
    code: 'INTERRUPTED',
    message: `interrupted: ${done}`,
    advice: 'What is done stays. Run the same command again to go on.',
  });
}
