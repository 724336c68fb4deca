import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { Canary, type CanaryListener } from './canary.ts';
import { findTables, measureTables, prepareSession, writeProbe } from './probe.ts';

/** Tables smaller than this are migrated in the time that it would take to look at them first. */
const leastBytes = 8 * 1024 * 1024;

/**
 * Measures what trading feels, in a session of its own. Where it can't, it says why, and the run goes on without: a
 * database with one session, tables that are not there yet, a role that may not lock them.
 */
export async function startCanary(
  connection: Connection,
  tables: readonly string[],
  limitMs: number,
  listener: CanaryListener,
): Promise<Canary | { readonly off: string }> {
  let session: Connection | undefined;
  try {
    if (connection.kind === 'embedded') return { off: 'an embedded database has one session' };
    const found = await findTables(connection, tables);
    if (tables.length === 0) return { off: 'the folder has no catalog.json, so its tables are not known' };
    if (found.tables.length === 0) return { off: 'the tables are not there yet' };
    if (found.barred.length > 0)
      return { off: `this role may not read ${found.barred.join(', ')} and lock it as a writer does` };
    session = await connection.openSecond();
    if (session === undefined) return { off: 'there is no second session to measure with' };
    const { flushes } = await prepareSession(session);
    const probe = writeProbe(found.tables, flushes);
    const bytes = await measureTables(session, found.tables);
    return new Canary(
      session,
      probe,
      { limitMs, flushes, isSmall: bytes !== undefined && bytes < leastBytes },
      listener,
    );
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    await session?.close();
    return { off: error.serverMessage ?? error.message };
  }
}
