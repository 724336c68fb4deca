import { count, formatBytes, formatCount, formatTime } from '../connection/units.ts';
import { type IndexOverview, type IndexReport, listIndexes } from '../ops/indexes/indexes.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';
import { formatTable } from './table.ts';

export const indexes = defineCommand({
  name: 'indexes',
  summary:
    'size, use, validity, bloat and redundancy of every index of the three tables; advice, never action',
  exitCodes: {
    0: 'every index is valid (advice may follow)',
    1: 'an index is INVALID, or left behind by a failed build',
  },
  run: async (context) => {
    await using connection = await openInterruptible(context);
    const overview = await listIndexes(connection);
    const isBroken = overview.indexes.some(({ findings }) =>
      findings.some(({ kind }) => kind === 'invalid' || kind === 'leftover'),
    );
    return {
      exitCode: isBroken ? 1 : 0,
      result: { target: connection.target, ...overview },
      text: format(connection.target, overview),
    };
  },
});

function format(target: string, { indexes: all, totalBytes, dispensableBytes }: IndexOverview): string {
  const tables = new Map(all.map(({ table, tableFacts }) => [table, tableFacts]));
  const since = all[0]?.countedSinceMs ?? null;
  return [
    `${target}: ${count(all.length, 'index', 'indexes')}, ${formatBytes(totalBytes)}; ${formatBytes(dispensableBytes)} in redundant or unused ones`,
    '',
    ...formatTable([
      ['table', '>rows', '>dead', 'vacuumed', 'analyzed'],
      ...[...tables].map(([table, { rows, deadRows, vacuumedMs, analyzedMs }]) => [
        table,
        formatCount(rows),
        formatCount(deadRows),
        formatTime(vacuumedMs),
        formatTime(analyzedMs),
      ]),
    ]),
    '',
    ...formatTable([
      ['index', 'table', '>size', '>scans', '>bloat', 'findings'],
      ...all.map((index) => [
        index.index,
        index.table,
        formatBytes(index.sizeBytes),
        formatCount(index.scans),
        index.bloat === null ? '' : `${Math.round(index.bloat * 100)} %`,
        index.building ? 'is being built' : index.findings.map(({ kind }) => kind).join(', '),
      ]),
    ]),
    ...(since === null ? [] : [`scans are counted since ${formatTime(since)}`]),
    ...all.flatMap(formatFindings),
    '',
    'next: multi-pair-db verify',
  ].join('\n');
}

const formatFindings = ({ index, findings }: IndexReport): string[] =>
  findings.length === 0
    ? []
    : [
        '',
        index,
        ...findings.flatMap(({ kind, message, advice }) => [
          `  ${`${kind}:`.padEnd(11)} ${message}`,
          `  what to do: ${advice}`,
        ]),
      ];
