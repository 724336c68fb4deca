import { describeSession } from '../connection/activity.ts';
import { count, formatVersion } from '../connection/units.ts';
import { describePause, type MigrationStatus, readStatus, type Status } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';
import { describePutAside } from './rollback.ts';

export const status = defineCommand({
  name: 'status',
  summary:
    'what is applied, pending, half-done or contradicted; the indexes; rows still to fill; what a rollback keeps',
  exitCodes: {
    0: 'all migrations are applied, and nothing contradicts them',
    1: 'something is pending, half-done, contradicted, INVALID or missing, or the journal contradicts the files',
  },
  run: async (context) => {
    await using connection = await openInterruptible(context);
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

function formatStatus(status: Status): string {
  const { target, versionNumber, migrations, faults, running, pause, putAside } = status;
  const kept = describePutAside(putAside);
  return [
    `${target}, PostgreSQL ${formatVersion(versionNumber)}`,
    ...migrations.flatMap(formatMigration),
    ...faults.map((fault) => `  contradiction: ${fault.message}\n    what to do: ${fault.advice}`),
    ...running.map((session) => `  a run is under way: ${describeSession(session)}`),
    ...(pause === undefined ? [] : [`  ${describePause(pause)}`]),
    ...(kept === undefined ? [] : [`  put aside by a rollback, for migrate to give back: ${kept}`]),
    ...(status.isRollbackHalfDone
      ? [
          '  a rollback broke off: each write to sessions and orders is noted for it, until it or migrate is run',
        ]
      : []),
    ...(status.hasOlderJournal
      ? ['  a table `migrations` of an older runner is there; what it says is not relied on']
      : []),
    `next: ${nextCommand(status)}`,
  ].join('\n');
}

/** What an operator runs next. */
function nextCommand({ migrations, faults, running, pause }: Status): string {
  if (pause !== undefined) return 'multi-pair-db resume, when runs may go on';
  if (running.length > 0) return 'multi-pair-db status, when the run that is under way has ended';
  if (faults.length > 0) return 'what is said above, then multi-pair-db status';
  if (migrations.some(({ state }) => state === 'contradicted')) {
    return 'multi-pair-db verify, which says what differs; migrate repairs what is its own';
  }
  const isStarted = migrations.some(({ state }) => state === 'half-done');
  if (migrations.every(({ state }) => state === 'applied')) return 'multi-pair-db verify';
  return isStarted ? 'multi-pair-db migrate' : 'multi-pair-db preflight, then multi-pair-db migrate';
}

function formatMigration({ tag, state, indexes, backlog }: MigrationStatus): string[] {
  const odd = indexes.filter((index) => index.state !== 'valid');
  const isNone = odd.every((index) => index.state === 'missing') && odd.length === indexes.length;
  const indent = ' '.repeat(15);
  return [
    `  ${state.padEnd(12)} ${tag}`,
    ...(backlog === undefined
      ? []
      : [
          `${indent}${backlog === 0 ? 'every row is filled' : `${count(backlog, 'row', 'rows')} still to fill`}`,
        ]),
    ...(indexes.length === 0
      ? []
      : [`${indent}${indexes.length - odd.length} of ${indexes.length} indexes valid`]),
    ...(isNone ? [] : odd.map((index) => `${indent}${index.name} is ${index.state}`)),
  ];
}
