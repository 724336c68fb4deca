import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';

/** A pooler may hand out its servers in turn; then one look could miss that it shares them. */
const looks = 3;

/**
 * Refuses a pooler that gives each transaction another server session (pgbouncer's transaction and statement modes):
 * a session's lock, its settings and a build CONCURRENTLY would end up in different sessions.
 *
 * It shows in that two connections share a backend, or that one changes it.
 *
 * @throws OperationError `POOLED`
 */
export async function refusePooler(connection: Connection, second: Connection): Promise<void> {
  // Both are idle. In statement mode this is all there is to see: a pooler then ends whoever begins a transaction.
  if (second.pid === connection.pid) throw pooled();
  for (let look = 0; look < looks; look++) {
    await second.execute('begin');
    try {
      if ((await readPid(second)) === connection.pid) throw pooled();
      // Asked only now: a pool of one server would let this wait for ever.
      if ((await readPid(connection)) !== connection.pid) throw pooled();
    } finally {
      await second.execute('rollback');
    }
  }
}

async function readPid(connection: Connection): Promise<number | undefined> {
  const [row] = await connection.query<{ pid: number }>('select pg_backend_pid() as pid');
  return row?.pid;
}

function pooled(): OperationError {
  return new OperationError({
    code: 'POOLED',
    message: 'this URL leads to a pooler in transaction mode, which shares sessions; nothing was changed',
    advice:
      'Use the URL of the server itself (often port 5432 in place of 6432 or 6543), or of a pool in session mode.',
  });
}
