import { formatBytes } from '../connection/units.ts';
import { backupDatabase } from '../ops/backup/backup.ts';
import type { CliCommand } from './command.ts';

export const backup: CliCommand = {
  name: 'backup',
  summary: 'back the database up with pg_dump, checked and recorded with its sha256 and row counts',
  exitCodes: {
    1: null,
    2: 'wrong usage, or no pg_dump of the server’s version or later',
    4: 'refused: the folder can’t be written to, or somebody who alters a table holds it',
    5: 'pg_dump failed, the disk is full, or it was interrupted; nothing is left behind',
  },
  configure: (command) => {
    command
      .option('--tables', 'the three tables and the journal only')
      .option('--dir <folder>', 'where to put it', 'backups');
  },
  run: async ({ url, signal, progress }, { options }) => {
    const dir = options['dir'];
    const { path, record } = await backupDatabase(url, {
      ...(typeof dir === 'string' ? { folder: dir } : {}),
      scope: options['tables'] === true ? 'tables' : 'database',
      signal,
      onProgress: progress.update,
    });
    const { target, program, sizeBytes, sha256, rows } = record;
    return {
      exitCode: 0,
      result: { path, ...record },
      text: [
        `${target}: backed up into ${path}`,
        `  ${formatBytes(sizeBytes)} by ${program}, sha256 ${sha256}`,
        ...Object.entries(rows).map(([table, count]) => `  ${table}: ${count} rows`),
      ].join('\n'),
    };
  },
};
