import { openConnection } from '../connection/open.ts';
import { cancelOnAbort } from '../connection/session.ts';
import { type DuplicateGroup, type Duplicates, listDuplicates } from '../ops/duplicates/duplicates.ts';
import { defineCommand } from './command.ts';
import { valueWithDefault } from './parameters.ts';
import { wholeNumber } from './parsers.ts';

export const duplicates = defineCommand({
  name: 'duplicates',
  summary: 'fills that the unique index would refuse: counts, samples, and which row stays and why',
  exitCodes: { 0: 'no fill is stored twice', 1: 'some are' },
  input: {
    samples: valueWithDefault(
      '--samples <count>',
      'how many groups to show, up to 1000',
      wholeNumber(0, 1_000),
      '20',
    ),
  },
  run: async ({ url, signal, progress }, { samples }) => {
    await using connection = await openConnection(url, { signal });
    cancelOnAbort(connection, { signal, onProgress: progress.line });
    const result = await listDuplicates(connection, { samples });
    return {
      exitCode: result.surplusRows === 0 ? 0 : 1,
      result: { target: connection.target, ...result },
      text: formatDuplicates(connection.target, result),
    };
  },
});

const reasons = {
  execution_id: 'it has an execution id of its own',
  stored_first: 'it was stored first',
  lowest_id: 'only the ids differ, and it has the lowest',
} as const;

export function formatDuplicates(target: string, found: Duplicates): string {
  const { groups, surplusRows, surplusRowsWithVenueId, surplusRowsWithoutVenueId, samples } = found;
  if (surplusRows === 0) return `${target}: no fill is stored twice`;
  return [
    `${target}: ${groups} executions are stored more than once, ${surplusRows} rows too many`,
    `  ${surplusRowsWithVenueId} have the venue’s id of the execution, which was delivered again`,
    `  ${surplusRowsWithoutVenueId} have none; nothing tells them apart from the row that stays`,
    ...samples.map(formatGroup),
    ...(samples.length < groups ? [`… and ${groups - samples.length} more executions (--samples)`] : []),
    'multi-pair-db dedupe moves the surplus rows into an archive table.',
  ].join('\n');
}

function formatGroup(group: DuplicateGroup): string {
  const { symbol, timestampMs, price, size, venueId, rows, keptId, keptBecause, surplusIds } = group;
  const more = rows - 1 - surplusIds.length;
  return [
    `  ${symbol}  ${new Date(timestampMs).toISOString()}  ${size} at ${price}  ${venueId === '' ? 'no venue id' : `venue id ${venueId}`}`,
    `    session ${group.sessionId ?? 'none'}, order ${group.orderId ?? 'none'}: ${rows} rows`,
    `    stays: ${keptId} (${reasons[keptBecause]})`,
    `    surplus: ${surplusIds.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
  ].join('\n');
}
