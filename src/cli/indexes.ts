import { formatBytes, formatTime } from '../connection/units.ts';
import { type IndexOverview, type IndexReport, listIndexes } from '../ops/indexes/indexes.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';

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
  return [
    `${target}: ${all.length} indexes, ${formatBytes(totalBytes)}; ${formatBytes(dispensableBytes)} in redundant or unused ones`,
    ...[...tables].map(
      ([table, { rows, deadRows, vacuumedMs, analyzedMs }]) =>
        `  ${table}: about ${rows} rows, ${deadRows} dead; vacuumed ${formatTime(vacuumedMs)}, analyzed ${formatTime(analyzedMs)}`,
    ),
    ...all.map(formatIndex),
  ].join('\n');
}

function formatIndex(report: IndexReport): string {
  const { index, table, sizeBytes, scans, lastScanMs, countedSinceMs, building, bloat, findings } = report;
  const facts = [
    formatBytes(sizeBytes),
    `${scans} scans${countedSinceMs === null ? '' : ` since ${formatTime(countedSinceMs)}`}`,
    ...(lastScanMs === null ? [] : [`last ${formatTime(lastScanMs)}`]),
    ...(bloat === null ? [] : [`bloat about ${Math.round(bloat * 100)} %`]),
    ...(building ? ['being built right now'] : []),
  ];
  return [
    `${index} (${table}): ${facts.join(', ')}`,
    ...findings.flatMap(({ kind, message, advice }) => [`  ${kind}: ${message}`, `    ${advice}`]),
  ].join('\n');
}
