import { openConnection } from '../connection/open.ts';
import { cancelOnAbort } from '../connection/session.ts';
import { count, formatDuration } from '../connection/units.ts';
import type { ProgressListener } from '../migrate/run/progress.ts';
import {
  type DescribedRollback,
  planRollback,
  type RollbackReport,
  rollbackMigration,
} from '../own/index.ts';
import { defineCommand } from './command.ts';
import { showEvents } from './events.ts';
import { argument, flag } from './parameters.ts';
import { text } from './parsers.ts';
import { noteServer, noteSizes, reportInput, withReport } from './reported.ts';
import { tradeInput, waitInput } from './shared-input.ts';

export const rollback = defineCommand({
  name: 'rollback',
  summary:
    'undo the last migration; what services would lose is put aside, and a later migrate gives it back',
  exitCodes: {
    0: 'it is undone, or there was nothing to undo; with --dry-run, what would be done is said',
    1: null,
    4: 'refused for safety: data loss not accepted, a later migration is applied, another run, a transaction in the way',
    5: 'a statement failed, or the work was interrupted; run it again to go on',
  },
  input: {
    migration: argument('<migration>', '002 or 001: the number or its full name', text),
    isDryRun: flag('--dry-run', 'say what would be lost and how many rows would be put aside; write nothing'),
    acceptDataLoss: flag('--accept-data-loss', 'needed for 001, which drops its columns'),
    ...waitInput,
    ...tradeInput,
    ...reportInput,
  },
  run: async (context, { migration, isDryRun, reportFolder, notifyCommand, ...options }) => {
    const { url, signal, progress } = context;
    if (isDryRun) {
      await using connection = await openConnection(url, { signal });
      cancelOnAbort(connection, { signal, onProgress: progress.line });
      const plan = await planRollback(connection, migration);
      return { exitCode: 0, result: plan, text: formatPlan(plan) };
    }
    return await withReport('rollback', context, { reportFolder, notifyCommand }, async (log) => {
      await using connection = await openConnection(url, { signal });
      await noteServer(log, connection, { begins: false });
      const show = showEvents(progress);
      const onProgress: ProgressListener = (event) => {
        log.record(event);
        show(event);
      };
      const report = await rollbackMigration(connection, migration, { ...options, signal, onProgress });
      if (report.undone) await noteSizes(log, connection, progress.line);
      return { exitCode: 0, result: report, text: formatReport(report) };
    });
  },
});

const nothingToUndo = (target: string, tag: string): string =>
  `${target}: ${tag} is not applied, so there is nothing to undo\nnext: multi-pair-db status`;

/** `12 rows of orders, 1 row of sessions`; undefined where it is none. */
export function describePutAside(putAside: Readonly<Record<string, number>>): string | undefined {
  const kept = Object.entries(putAside).filter(([, rows]) => rows > 0);
  return kept.length === 0
    ? undefined
    : kept.map(([table, rows]) => `${count(rows, 'row', 'rows')} of ${table}`).join(', ');
}

function formatReport({ target, tag, undone, durationMs, putAside }: RollbackReport): string {
  if (!undone) return nothingToUndo(target, tag);
  const kept = describePutAside(putAside);
  return [
    `${target}: undid ${tag} in ${formatDuration(durationMs)}`,
    ...(kept === undefined ? [] : [`  put aside, for migrate to give back: ${kept}`]),
    'next: multi-pair-db status',
  ].join('\n');
}

function formatPlan({ target, tag, isThere, dataLoss, putAside }: DescribedRollback): string {
  if (!isThere) return nothingToUndo(target, tag);
  return [
    `${target}: would undo ${tag}; nothing was written`,
    `  lost for services: ${dataLoss ?? 'nothing'}`,
    ...Object.entries(putAside).map(
      ([what, rows]) => `  would be put aside: ${count(rows, 'row', 'rows')} (${what})`,
    ),
    `next: multi-pair-db rollback ${tag.slice(1, 4)}${dataLoss === undefined ? '' : ' --accept-data-loss'}`,
  ].join('\n');
}
