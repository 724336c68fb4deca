import { restoreBackup } from '../ops/backup/restore.ts';
import { verifyDatabase } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { argument, flag, requiredValue, value } from './parameters.ts';
import { text } from './parsers.ts';

export const restore = defineCommand({
  name: 'restore',
  summary: 'restore a backup into a database that is empty, or confirmed by its name; then count and verify',
  exitCodes: {
    0: 'restored, and every table has the rows that were backed up',
    1: 'restored, and rows differ from what was backed up, or verify has found a fault',
    2: 'wrong usage, or no pg_restore of the backup’s version or later',
    4: 'refused: no such backup, an altered file, a database that is not empty or in use; nothing was changed',
    5: 'pg_restore failed or was interrupted; its transaction was rolled back',
  },
  input: {
    file: argument('<file>', 'a file that `backup` has made', text),
    into: requiredValue('--into <database>', 'a database on the server of --url, or a URL of its own', text),
    confirm: value(
      '--confirm <name>',
      'the name of the database again, to replace tables in one that is not empty',
      text,
    ),
    withoutOwners: flag('--no-owner', 'give everything to the role that restores'),
  },
  run: async ({ url, signal, progress }, { file, into, confirm, withoutOwners }) => {
    const report = await restoreBackup(file, url, {
      into,
      confirm,
      withoutOwners,
      signal,
      onProgress: progress.update,
      verify: (connection) => verifyDatabase(connection),
    });
    const { target, record, complete, differences, verification, movedAside } = report;
    const faults = verification?.findings.filter(({ level }) => level === 'fault') ?? [];
    const tables = Object.keys(record.rows).length;
    return {
      exitCode: complete && faults.length === 0 ? 0 : 1,
      result: report,
      text: [
        `${target}: restored from ${file}, backed up ${new Date(record.startedAtMs).toISOString()} from ${record.target}`,
        ...(movedAside === undefined ? [] : [`  what was there is in ${movedAside} now`]),
        complete
          ? `  all ${tables} tables have the rows that were backed up`
          : `  ${differences.length} of ${tables} tables differ from what was backed up:`,
        ...differences.map(
          ({ table, backedUp, found }) => `    ${table}: ${backedUp} backed up, ${found} found`,
        ),
        ...(verification?.verified === true ? ['  verified: the database is what this release says'] : []),
        ...faults.map(
          ({ object, expected, found, repair }) =>
            `  ${object}: expected ${expected}, found ${found}. ${repair}`,
        ),
      ].join('\n'),
    };
  },
});
