import { InvalidArgumentError } from './errors.ts';

/** A signal, or none; by what it can do, because frameworks and tests have classes of their own. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const isSignal =
    typeof signal === 'object' &&
    typeof signal?.throwIfAborted === 'function' &&
    typeof signal?.addEventListener === 'function';
  if (!isSignal) throw new InvalidArgumentError('signal must be an AbortSignal');
}

/**
 * What the work gives; or, as soon as the signal aborts, its reason is thrown. Then the work is no longer waited for: a
 * statement that is under way goes on to its end on the server, and what it gives is dropped. (No driver lets go of one
 * through Drizzle; `statement_timeout` of the server does.) Nothing is begun for a signal that has aborted before.
 */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // A signal that outlives many pages must not keep a listener for each.
    const settle = (): void => signal.removeEventListener('abort', abort);
    work().then(resolve, reject).finally(settle);
  });
}
