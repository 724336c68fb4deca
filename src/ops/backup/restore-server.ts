import { openConnection } from '../../connection/open.ts';
import { cancelOnAbort, liftTimeLimits } from '../../connection/session.ts';
import type { BackupRecord } from './backup-record.ts';
import { toLibpqEnvironment } from './libpq.ts';
import { prepareRestore, toPsqlOptions } from './restore-job.ts';
import { restoreOver } from './restore-over.ts';
import type { RestoreOptions, RestoreReport } from './restore-report.ts';
import { beginRestore, settled } from './restore-transaction.ts';
import { workOff } from './restore-work.ts';

/** Restores into a database of a server. */
export async function restoreServer(
  file: string,
  record: BackupRecord,
  into: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  // What the programs can't be told is refused before anything is done.
  toLibpqEnvironment(into);
  await using connection = await openConnection(into, { signal: options.signal });
  await using _limits = await liftTimeLimits(connection);
  using _cancel = cancelOnAbort(connection, options);
  const job = await prepareRestore({ file, record, into, options, connection });
  if (!job.isEmpty) return await restoreOver(job);
  const transaction = await beginRestore(await toPsqlOptions(job, 'multi-pair-db'));
  return await settled(connection, transaction, undefined, () =>
    workOff(job, transaction, undefined, async () => {}),
  );
}
