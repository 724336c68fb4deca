import type { Connection } from '../connection/connection.ts';
import { openConnection } from '../connection/open.ts';
import type { WorkOptions } from '../connection/session.ts';
import { cancelOnAbort } from '../connection/session.ts';
import { dedupeFills } from '../ops/duplicates/dedupe.ts';
import { listDuplicates } from '../ops/duplicates/duplicates.ts';
import { undoDedupeFills } from '../ops/duplicates/undo-dedupe.ts';
import { defineCommand, type Outcome } from './command.ts';
import { formatDuplicates } from './duplicates.ts';
import { flag, valueWithDefault } from './parameters.ts';
import { wholeNumber } from './parsers.ts';

export const dedupe = defineCommand({
  name: 'dedupe',
  summary: 'move surplus copies of fills into an archive table; nothing is deleted for good',
  exitCodes: {
    0: 'no fill is stored twice any more; with --undo, every row that could come back is back',
    1: 'surplus rows are left, because other sessions hold them; with --dry-run, rows would be moved',
    4: 'refused for safety: the archive table has other columns than fills; nothing was moved',
    5: 'a statement failed, or the work was interrupted; run it again to go on',
  },
  input: {
    isDryRun: flag('--dry-run', 'show what would be moved and what would stay; write nothing'),
    isUndo: flag('--undo', 'bring back the archived rows that no longer collide with a stored one'),
    batchRows: valueWithDefault(
      '--batch <rows>',
      'rows a transaction, 1 to 10,000',
      wholeNumber(1, 10_000),
      '500',
    ),
  },
  exclusive: [['isDryRun', 'isUndo']],
  run: async ({ url, signal, progress }, { isDryRun, isUndo, batchRows }) => {
    await using connection = await openConnection(url, { signal });
    const work = { signal, onProgress: progress.update };
    if (isDryRun) {
      cancelOnAbort(connection, { signal, onProgress: progress.line });
      return await dryRun(connection);
    }
    if (isUndo) return await undo(connection, work);
    const result = await dedupeFills(connection, { ...work, batchRows });
    const { movedRows, remainingRows, archive, archivedRows } = result;
    return {
      exitCode: remainingRows === 0 ? 0 : 1,
      result: { target: connection.target, ...result },
      text: [
        `${connection.target}: ${movedRows} surplus fills moved into ${archive}, which has ${archivedRows} rows now`,
        remainingRows === 0
          ? '  no fill is stored twice any more'
          : `  ${remainingRows} surplus rows are left: other sessions hold them. Run dedupe again when they are done.`,
      ].join('\n'),
    };
  },
});

async function dryRun(connection: Connection): Promise<Outcome> {
  const result = await listDuplicates(connection);
  return {
    exitCode: result.surplusRows === 0 ? 0 : 1,
    result: { target: connection.target, dryRun: true, ...result },
    text: `${formatDuplicates(connection.target, result)}\nNothing was written: this was a dry run.`,
  };
}

async function undo(connection: Connection, work: WorkOptions): Promise<Outcome> {
  const result = await undoDedupeFills(connection, work);
  const { restoredRows, archivedRows, archive } = result;
  return {
    exitCode: 0,
    result: { target: connection.target, ...result },
    text:
      archive === undefined
        ? `${connection.target}: nothing has been archived here`
        : `${connection.target}: ${restoredRows} fills are back; ${archivedRows} stay in ${archive}, because the same execution is stored or their order or session is gone`,
  };
}
