import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { refusePooler } from '../../connection/pooler.ts';
import { readSettings, restoreSettings, type Setting } from '../../connection/settings.ts';
import { majorOf } from '../../connection/units.ts';
import type { Project } from '../project.ts';
import { releaseLock, takeLock } from './lock.ts';
import { defaultLockWaitMs, defaultMaxReplicaLagMs, type RunOptions } from './options.ts';
import { Run } from './run.ts';

/**
 * Runs `work` with the migrations' lock taken, settings saved, a second session to watch with, and Ctrl-C wired to the
 * server. Whatever happens: open transactions are rolled back, the settings put back, the lock given back.
 */
export async function withRun<Result>(
  connection: Connection,
  project: Project,
  options: RunOptions,
  work: (run: Run) => Promise<Result>,
): Promise<Result> {
  refuseVersion(connection, project);
  const second = await connection.openSecond();
  try {
    if (second !== undefined) await refusePooler(connection, second);
    const run = new Run(connection, second, project, options);
    const settings = await readSettings(connection);
    await takeLock(connection, {
      lockWaitMs: options.lockWaitMs ?? defaultLockWaitMs,
      signal: options.signal,
      onWait: (holders, waitedMs) => options.onProgress?.({ kind: 'lock', holders, waitedMs }),
    });
    // What is there is compared as text, so identifiers are quoted as everywhere else.
    await connection.query(
      `select set_config('multi_pair_db.max_wait', $1, false), set_config('multi_pair_db.max_replica_lag', $2, false),
              set_config('quote_all_identifiers', 'off', false)`,
      [`${run.maxWaitMs} ms`, `${options.maxReplicaLagMs ?? defaultMaxReplicaLagMs} ms`],
    );
    const result = await work(run).catch(async (error: unknown) => {
      // The first fault is the one to report: on a lost connection, cleaning up can only fail too.
      await cleanUp(run, settings).catch(() => {});
      await run.endMeasuring();
      throw error;
    });
    await cleanUp(run, settings);
    return result;
  } finally {
    await second?.close();
  }
}

async function cleanUp(run: Run, settings: readonly Setting[]): Promise<void> {
  await run.cancelled;
  await run.endMeasuring();
  await run.connection.execute('rollback');
  await restoreSettings(run.connection, settings);
  await releaseLock(run.connection);
}

function refuseVersion(connection: Connection, { versions }: Project): void {
  const major = majorOf(connection.versionNumber);
  if (versions === undefined || major >= versions.oldest) return;
  throw new OperationError({
    code: 'VERSION_UNSUPPORTED',
    message: `the server is PostgreSQL ${major}; these migrations need ${versions.oldest} or later. Nothing was changed`,
    advice: 'Upgrade the server first.',
  });
}
