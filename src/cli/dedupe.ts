import type { Connection } from '../connection/connection.ts';
import { openConnection } from '../connection/open.ts';
import { cancelOnAbort, type WorkOptions } from '../connection/session.ts';
import { count, formatCount } from '../connection/units.ts';
import { type DedupeResult, dedupeBatchRows, dedupeFills } from '../ops/duplicates/dedupe.ts';
import { listDuplicates } from '../ops/duplicates/duplicates.ts';
import { refuseUnsafeDeletes } from '../ops/duplicates/safety.ts';
import { type UndoDedupeResult, undoDedupeFills } from '../ops/duplicates/undo-dedupe.ts';
import { defineCommand, type Outcome } from './command.ts';
import { formatDuplicates } from './duplicates.ts';
import { flag, valueWithDefault } from './parameters.ts';
import { range, wholeNumber } from './parsers.ts';
import { noteServer, reportInput, withReport } from './reported.ts';

const { least, most, default: standard } = dedupeBatchRows;

export const dedupe = defineCommand({
  name: 'dedupe',
  summary: 'move surplus copies of fills into an archive table; nothing is deleted for good',
  exitCodes: {
    0: 'no fill is stored twice any more; with --undo, every row that could come back is back',
    1: 'surplus rows are left: no venue’s id proves them, or other sessions hold them; with --dry-run, rows are too many',
    4: 'refused for safety: a foreign key, trigger or rule on fills would do more than move rows, row-level security may hide some, or the archive table has other columns than fills',
    5: 'a statement failed, or the work was interrupted; run it again to go on',
  },
  input: {
    isDryRun: flag('--dry-run', 'show what would be moved and what would stay; write nothing'),
    isUndo: flag('--undo', 'bring back the archived rows that no longer collide with a stored one'),
    withoutVenueId: flag(
      '--without-venue-id',
      'move also rows that no venue’s id of the execution proves to be copies',
    ),
    batchRows: valueWithDefault(
      '--batch <rows>',
      `rows a transaction, ${range(least, most)}`,
      wholeNumber(least, most),
      String(standard),
    ),
    ...reportInput,
  },
  exclusive: [
    ['isDryRun', 'isUndo'],
    ['isUndo', 'withoutVenueId'],
  ],
  run: async (context, { isDryRun, isUndo, withoutVenueId, batchRows, reportFolder, notifyCommand }) => {
    const { url, signal, progress } = context;
    const work = { signal, onProgress: progress.update };
    if (isDryRun) {
      await using connection = await openConnection(url, { signal });
      cancelOnAbort(connection, { signal, onProgress: progress.line });
      return await dryRun(connection, withoutVenueId);
    }
    return await withReport('dedupe', context, { reportFolder, notifyCommand }, async (log) => {
      await using connection = await openConnection(url, { signal });
      await noteServer(log, connection);
      if (isUndo) return await undo(connection, work);
      const result = await dedupeFills(connection, { ...work, batchRows, withoutVenueId });
      return {
        exitCode: result.remainingRows === 0 ? 0 : 1,
        result: { target: connection.target, ...result },
        text: formatResult(connection.target, result),
      };
    });
  },
});

function formatResult(target: string, result: DedupeResult): string {
  const { movedRows, remainingRows, remainingRowsWithoutVenueId, archive, archivedRows, warnings } = result;
  const held = remainingRows - remainingRowsWithoutVenueId;
  return [
    `${target}: ${count(movedRows, 'surplus fill', 'surplus fills')} moved into ${archive}, which has ${count(archivedRows, 'row', 'rows')} now`,
    ...(remainingRows === 0 ? ['  no fill is stored twice any more'] : []),
    ...(held === 0
      ? []
      : [
          `  ${count(held, 'surplus row is', 'surplus rows are')} left: other sessions hold them. Run dedupe again when they are done.`,
        ]),
    ...(remainingRowsWithoutVenueId === 0 ? [] : [formatUnproven(remainingRowsWithoutVenueId)]),
    ...warnings.map((warning) => `  ${warning}`),
    `next: multi-pair-db ${remainingRows === 0 ? 'migrate --dry-run' : 'duplicates'}`,
  ].join('\n');
}

const formatUnproven = (rows: number): string =>
  `  ${count(rows, 'surplus row is', 'surplus rows are')} left: no venue’s id proves that they are the execution that stays.
  \`multi-pair-db duplicates\` shows in what they differ; \`multi-pair-db dedupe --without-venue-id\` moves them too.`;

async function dryRun(connection: Connection, withoutVenueId: boolean): Promise<Outcome> {
  const warnings = await refuseUnsafeDeletes(connection);
  const result = await listDuplicates(connection);
  const { surplusRows, surplusRowsWithVenueId } = result;
  const wouldMoveRows = withoutVenueId ? surplusRows : surplusRowsWithVenueId;
  return {
    exitCode: surplusRows === 0 ? 0 : 1,
    result: { target: connection.target, dryRun: true, wouldMoveRows, ...result, warnings },
    text: [
      formatDuplicates(connection.target, result),
      `Nothing was written: this was a dry run, of which ${count(wouldMoveRows, 'row', 'rows')} would be moved and ${formatCount(surplusRows - wouldMoveRows)} left.`,
      ...warnings,
      `next: multi-pair-db ${surplusRows === 0 ? 'migrate --dry-run' : 'dedupe'}`,
    ].join('\n'),
  };
}

async function undo(connection: Connection, work: WorkOptions): Promise<Outcome> {
  const result = await undoDedupeFills(connection, work);
  return {
    exitCode: 0,
    result: { target: connection.target, ...result },
    text: formatUndo(connection.target, result),
  };
}

function formatUndo(target: string, result: UndoDedupeResult): string {
  const { restoredRows, archivedRows, incomplete, archive } = result;
  if (archive === undefined) return `${target}: nothing has been archived here\nnext: multi-pair-db status`;
  const others = archivedRows - (incomplete?.rows ?? 0);
  return [
    `${target}: ${count(restoredRows, 'fill is', 'fills are')} back; ${formatCount(archivedRows)} stay in ${archive}`,
    ...(others === 0
      ? []
      : [`  ${formatCount(others)}, because the same execution is stored or their order or session is gone`]),
    ...(incomplete === undefined
      ? []
      : [
          `  ${formatCount(incomplete.rows)}, because they have no value for ${incomplete.columns.join(', ')}, which fills requires: set it in ${archive}, then run this again`,
        ]),
    'next: multi-pair-db duplicates',
  ].join('\n');
}
