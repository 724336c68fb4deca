import { restoreBackup } from '../ops/backup/restore.ts';
import { verifyDatabase } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { argument, flag, value, valueWithDefault } from './parameters.ts';
import { text } from './parsers.ts';
import { reportInput, withReport } from './reported.ts';
import { formatRestore } from './restore-text.ts';

const notes = `The database becomes what the backup says, the journal of migrations included: what this package has made since
goes, archives of dedupe are put aside, and what others have in it stays. It is one transaction. It is verified
against the state that the backup is of, which may be older than this release.`;

export const restore = defineCommand({
  name: 'restore',
  summary: 'make a database what a backup says: one that is empty, or confirmed by its name',
  exitCodes: {
    0: 'restored: every table has the rows that were backed up, and the state is that of the backup',
    1: 'restored, and rows differ from what was backed up, or verify has found a fault',
    2: 'wrong usage, or no pg_restore of the backup’s version or later',
    4: 'refused: no such backup, an altered file, a database that is not empty, who is connected, or what others have that depends on it; nothing was changed',
    5: 'pg_restore failed or was interrupted; its transaction was rolled back',
  },
  notes,
  input: {
    file: argument('<file>', 'a file that `backup` has made', text),
    into: value(
      '--into <database>',
      'a database on the server of --url, or a URL of its own (default: the database of --url)',
      text,
    ),
    confirm: value(
      '--confirm <name>',
      'the name of the database again, to replace what is in one that is not empty',
      text,
    ),
    disconnect: flag('--disconnect', 'end the sessions of others, and keep new ones out until it has ended'),
    withoutSafetyBackup: flag('--no-safety-backup', 'do not back up what is replaced'),
    folder: valueWithDefault('--dir <folder>', 'where to put that backup', text, 'backups'),
    ...reportInput,
    withoutOwners: flag('--no-owner', 'give everything to the role that restores'),
  },
  run: async (context, { file, withoutSafetyBackup, reportFolder, notifyCommand, ...options }) => {
    const { url, signal, progress } = context;
    return await withReport('restore', context, { reportFolder, notifyCommand }, async (log) => {
      const report = await restoreBackup(file, url, {
        ...options,
        safetyBackup: !withoutSafetyBackup,
        signal,
        onPhase: (phase) => {
          log.begin();
          progress.line(phase);
        },
        onProgress: progress.update,
        verify: (connection, state) => verifyDatabase(connection, { state, signal }),
      });
      const { complete, objects, verification } = report;
      log.note({ target: report.target, ...(verification && { verification }) });
      const isAsBackedUp = complete && objects.missing.length === 0 && objects.surplus.length === 0;
      return {
        exitCode: isAsBackedUp && verification?.verified !== false ? 0 : 1,
        result: report,
        text: formatRestore(file, report),
      };
    });
  },
});
