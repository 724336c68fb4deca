import { describeSession } from '../connection/activity.ts';
import { openConnection } from '../connection/open.ts';
import { cancelOnAbort } from '../connection/session.ts';
import { formatVersion } from '../connection/units.ts';
import { type MigrationStatus, readStatus, type Status } from '../own/index.ts';
import { defineCommand } from './command.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'what is applied, pending or half-done; the nine indexes; sessions still to backfill',
  exitCodes: {
    0: 'all migrations are applied, and nothing contradicts them',
    1: 'something is pending, half-done, INVALID or missing, or the journal contradicts the files',
  },
  run: async ({ url, signal, progress }) => {
    await using connection = await openConnection(url, { signal });
    cancelOnAbort(connection, { signal, onProgress: progress.line });
    const result = await readStatus(connection);
    return { exitCode: isDone(result) ? 0 : 1, result, text: formatStatus(result) };
  },
});

function isDone({ migrations, faults }: Status): boolean {
  return (
    faults.length === 0 &&
    migrations.every(
      ({ state, indexes, backlog = 0 }) =>
        state === 'applied' && backlog === 0 && indexes.every((index) => index.state === 'valid'),
    )
  );
}

function formatStatus({
  target,
  versionNumber,
  migrations,
  faults,
  running,
  hasOlderJournal,
}: Status): string {
  return [
    `${target}, PostgreSQL ${formatVersion(versionNumber)}`,
    ...migrations.flatMap(formatMigration),
    ...faults.map((fault) => `  contradiction: ${fault.message}\n    what to do: ${fault.advice}`),
    ...running.map((session) => `  a run is under way: ${describeSession(session)}`),
    ...(hasOlderJournal
      ? ['  a table `migrations` of an older runner is there; what it says is not relied on']
      : []),
  ].join('\n');
}

function formatMigration({ tag, state, indexes, backlog }: MigrationStatus): string[] {
  const odd = indexes.filter((index) => index.state !== 'valid');
  const isNone = odd.every((index) => index.state === 'missing') && odd.length === indexes.length;
  return [
    `  ${state.padEnd(9)} ${tag}`,
    ...(backlog === undefined ? [] : [`            ${backlog} sessions still to backfill`]),
    ...(indexes.length === 0
      ? []
      : [`            ${indexes.length - odd.length} of ${indexes.length} indexes valid`]),
    ...(isNone ? [] : odd.map((index) => `            ${index.name} is ${index.state}`)),
  ];
}
