import type { Connection } from './connection.ts';
import { connectEmbedded, openEmbedded } from './embedded.ts';
import { openServer } from './server.ts';
import { parseTarget } from './url.ts';

export { connectEmbedded };

/** How to open a connection. */
export interface OpenOptions {
  /** Makes a new embedded database where there is none (default false: an error). */
  readonly create?: boolean;
  /**
   * Aborted while it connects: it ends at once. Aborted later: the work has a second to end in good order; then its
   * session is cut off, whatever the server does.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a session on `postgres://…` (postgres.js) or `pglite:DIR` (PGlite). Use it with `await using`.
 *
 * @throws OperationError `URL_INVALID`, `DRIVER_MISSING`, `UNREACHABLE`, `AUTHENTICATION_FAILED`, `DATABASE_MISSING`,
 *   `READ_ONLY`, `INTERRUPTED`.
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const [row] = await connection.query<{ sessions: number }>('select count(*) as sessions from sessions');
 */
export async function openConnection(url: string, options: OpenOptions = {}): Promise<Connection> {
  const target = parseTarget(url);
  return target.kind === 'embedded'
    ? openEmbedded(target.directory, options.create ?? false)
    : openServer(target, options.signal);
}
