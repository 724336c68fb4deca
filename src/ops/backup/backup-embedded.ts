import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openPglite, refuseMissing } from '../../connection/embedded.ts';
import { OperationError } from '../../connection/errors.ts';
import { type Backup, nameBackup, storeBackup, writeSynced } from './backup-file.ts';
import type { BackupOptions } from './backup-options.ts';
import { readState } from './backup-state.ts';
import { countRows, listTables } from './row-counts.ts';

/** PGlite's own dump of its directory: the whole database, whatever is in it. */
export async function backupEmbedded(
  directory: string,
  { folder = 'backups', scope = 'database', onProgress }: BackupOptions,
): Promise<Backup> {
  if (scope === 'tables') {
    throw new OperationError({
      code: 'USAGE',
      message: 'an embedded database is always backed up whole',
      advice: 'Leave --tables out.',
    });
  }
  refuseMissing(directory, 'Check the directory.');
  const startedAtMs = Date.now();
  const { client, connection } = await openPglite({ directory });
  await using _connection = connection;
  const database = path.basename(path.resolve(directory));
  const tables = await listTables(connection);
  return await storeBackup(folder, nameBackup(database, startedAtMs, '.pglite.tar.gz'), async (partial) => {
    onProgress?.(`dump of ${connection.target} …`);
    const rows = await countRows(connection, tables);
    const state = await readState(connection);
    const dump = await client.dumpDataDir('gzip');
    await writeSynced(partial, new Uint8Array(await dump.arrayBuffer()));
    await refuseUnreadable(partial, rows);
    return {
      kind: 'embedded',
      scope,
      target: connection.target,
      database,
      systemIdentifier: null,
      versionNumber: connection.versionNumber,
      program: 'PGlite',
      startedAtMs,
      rows,
      prerequisites: [],
      state,
    };
  });
}

/** The only proof that a dump can be loaded is to load it: into memory. */
async function refuseUnreadable(file: string, expected: Readonly<Record<string, number>>): Promise<void> {
  const { connection } = await openPglite({ dump: new Blob([await readFile(file)]) });
  await using copy = connection;
  const found = await countRows(copy, await listTables(copy));
  if (Object.entries(expected).every(([table, rows]) => found[table] === rows)) return;
  throw new OperationError({
    code: 'STATEMENT_FAILED',
    message: 'the dump does not hold the rows that the database has',
    advice: 'See that no other process has the embedded database open, then back up again.',
  });
}
