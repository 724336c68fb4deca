import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { connectEmbedded } from '../migrate/connection.ts';
import { loadDriver } from '../migrate/driver.ts';
import { OperationError } from '../migrate/errors.ts';
import type { BackupOptions } from './backup.ts';
import { type Backup, nameBackup, storeBackup, writeSynced } from './backupFile.ts';
import { countRows, listTables } from './rowCounts.ts';

/** An embedded database in `directory`, or in memory without one; from a dump where there is one. */
export async function openPglite(options: { directory?: string; dump?: Blob }) {
  const { PGlite } = await loadDriver('@electric-sql/pglite', () => import('@electric-sql/pglite'));
  return PGlite.create({
    ...(options.directory === undefined ? {} : { dataDir: options.directory }),
    ...(options.dump === undefined ? {} : { loadDataDir: options.dump }),
  });
}

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
  if (!existsSync(path.join(directory, 'PG_VERSION'))) {
    throw new OperationError({
      code: 'DATABASE_MISSING',
      message: `there is no embedded database in ${directory}`,
      advice: 'Check the directory.',
    });
  }
  const startedAtMs = Date.now();
  const client = await openPglite({ directory });
  await using connection = await connectEmbedded(client, `pglite:${directory}`);
  const database = path.basename(path.resolve(directory));
  const tables = await listTables(connection);
  return await storeBackup(folder, nameBackup(database, startedAtMs, '.pglite.tar.gz'), async (partial) => {
    onProgress?.(`dump of ${connection.target} …`);
    const rows = await countRows(connection, tables);
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
    };
  });
}

/** The only proof that a dump can be loaded is to load it: into memory. */
async function refuseUnreadable(file: string, expected: Readonly<Record<string, number>>): Promise<void> {
  await using copy = await connectEmbedded(
    await openPglite({ dump: new Blob([await readFile(file)]) }),
    'copy',
  );
  const found = await countRows(copy, await listTables(copy));
  if (Object.entries(expected).every(([table, rows]) => found[table] === rows)) return;
  throw new OperationError({
    code: 'STATEMENT_FAILED',
    message: 'the dump does not hold the rows that the database has',
    advice: 'See that no other process has the embedded database open, then back up again.',
  });
}
