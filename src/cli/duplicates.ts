import { count, formatCount } from '../connection/units.ts';
import {
  type DuplicateGroup,
  type Duplicates,
  duplicateSamples,
  listDuplicates,
} from '../ops/duplicates/duplicates.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';
import { valueWithDefault } from './parameters.ts';
import { range, wholeNumber } from './parsers.ts';

const { least, most, default: standard } = duplicateSamples;

export const duplicates = defineCommand({
  name: 'duplicates',
  summary: 'fills that the unique index would refuse: counts, samples, which row stays and why, what differs',
  exitCodes: {
    0: 'no fill is stored twice',
    1: 'some are',
    4: 'refused for safety: row-level security may hide rows of fills from this role',
  },
  input: {
    samples: valueWithDefault(
      '--samples <count>',
      `how many groups to show, ${range(least, most)}`,
      wholeNumber(least, most),
      String(standard),
    ),
  },
  run: async (context, { samples }) => {
    await using connection = await openInterruptible(context);
    const result = await listDuplicates(connection, { samples });
    return {
      exitCode: result.surplusRows === 0 ? 0 : 1,
      result: { target: connection.target, ...result },
      text: `${formatDuplicates(connection.target, result)}\nnext: multi-pair-db ${result.surplusRows === 0 ? 'migrate' : 'dedupe'} --dry-run`,
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
    `${target}: ${count(groups, 'execution is', 'executions are')} stored more than once, ${count(surplusRows, 'row', 'rows')} too many`,
    `  ${formatCount(surplusRowsWithVenueId)} with the venue’s id of the execution, which was delivered again`,
    `  ${formatCount(surplusRowsWithoutVenueId)} without one; nothing proves that they are the execution that stays`,
    ...formatDifferences(found),
    ...samples.map(formatGroup),
    ...(samples.length < groups
      ? [`… and ${count(groups - samples.length, 'more execution', 'more executions')} (--samples)`]
      : []),
    'dedupe moves the surplus rows that have the venue’s id into an archive table; with --without-venue-id the others too: look at them first, two real fills may be alike.',
  ].join('\n');
}

function formatDifferences({ identicalGroups, differingColumns }: Duplicates): string[] {
  const columns = differingColumns
    .map(({ column, groups }) => `${column} (${formatCount(groups)})`)
    .join(', ');
  return [
    `  ${count(identicalGroups, 'execution has', 'executions have')} rows that differ in nothing but their id`,
    ...(columns === '' ? [] : [`  executions whose rows differ, by column: ${columns}`]),
  ];
}

function formatGroup(group: DuplicateGroup): string {
  const { symbol, side, timestampMs, price, size, venueId, rows, keptId, keptBecause, surplusIds } = group;
  const more = rows - 1 - surplusIds.length;
  const differsIn = group.differsIn.length === 0 ? 'nothing but the id' : group.differsIn.join(', ');
  return [
    `  ${symbol}  ${new Date(timestampMs).toISOString()}  ${side === null ? '' : `${side} `}${size} at ${price}  ${venueId === '' ? 'no venue id' : `venue id ${venueId}`}`,
    `    session ${group.sessionId ?? 'none'}, order ${group.orderId ?? 'none'}: ${count(rows, 'row', 'rows')}`,
    `    stays: ${keptId} (${reasons[keptBecause]})`,
    `    surplus: ${surplusIds.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    `    the rows differ in: ${differsIn}`,
  ].join('\n');
}
