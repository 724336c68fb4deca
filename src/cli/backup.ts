import { count, formatBytes } from '../connection/units.ts';
import { backupDatabase } from '../ops/backup/backup.ts';
import { defineCommand } from './command.ts';
import { flag, valueWithDefault } from './parameters.ts';
import { text } from './parsers.ts';
import { reportInput, withReport } from './reported.ts';

export const backup = defineCommand({
  name: 'backup',
  summary: 'back the database up with pg_dump, checked and recorded with its sha256 and row counts',
  exitCodes: {
    1: null,
    2: 'wrong usage, or no pg_dump of the server’s version or later',
    4: 'refused: the folder can’t be written to, or another session is altering a table',
    5: 'pg_dump failed, the disk is full, or it was interrupted; nothing is left behind',
  },
  input: {
    tablesOnly: flag('--tables', 'the three tables and the journal only'),
    folder: valueWithDefault('--dir <folder>', 'where to put it', text, 'backups'),
    ...reportInput,
  },
  run: async (context, { tablesOnly, folder, reportFolder, notifyCommand }) => {
    const { url, signal, progress } = context;
    return await withReport('backup', context, { reportFolder, notifyCommand }, async (log) => {
      const { path, record } = await backupDatabase(url, {
        folder,
        scope: tablesOnly ? 'tables' : 'database',
        signal,
        onProgress: (text) => {
          log.begin();
          progress.update(text);
        },
      });
      log.begin();
      const { target, program, sizeBytes, sha256 } = record;
      return {
        exitCode: 0,
        result: { path, ...record },
        text: [
          `${target}: backed up into ${path}`,
          `  ${formatBytes(sizeBytes)} by ${program}, sha256 ${sha256}`,
          ...Object.entries(record.rows).map(([table, rows]) => `  ${table}: ${count(rows, 'row', 'rows')}`),
          'next: multi-pair-db migrate --dry-run',
        ].join('\n'),
      };
    });
  },
});
