import type { Connection } from '../connection/connection.ts';
import { type OpenOptions, openConnection } from '../connection/open.ts';
import { cancelOnAbort } from '../connection/session.ts';
import type { CommandContext } from './command.ts';

/**
 * Opens the operator's database for a command that only reads, or is one statement: Ctrl-C and SIGTERM end it while it
 * connects, and cancel the statement that runs. What works in batches gets the signal itself, to stop between two.
 */
export async function openInterruptible(
  { url, signal, progress }: CommandContext,
  options: OpenOptions = {},
): Promise<Connection> {
  const connection = await openConnection(url, { ...options, signal });
  cancelOnAbort(connection, { signal, onProgress: progress.line });
  return connection;
}
