import { describeConnected } from '../connection/connected.ts';
import { count, formatCount } from '../connection/units.ts';
import type { RestoreReport } from '../ops/backup/restore-report.ts';
import { describePause } from '../own/index.ts';

/** What was restored, for a person. */
export function formatRestore(file: string, report: RestoreReport): string {
  const { target, record, complete, differences, objects, movedAside, safetyBackup } = report;
  const tables = Object.keys(record.rows).length;
  return [
    `${target}: restored from ${file}, backed up ${new Date(record.startedAtMs).toISOString()} from ${record.target}`,
    ...(report.disconnected ?? []).map((session) => `  ended: ${describeConnected(session)}`),
    ...(safetyBackup === undefined ? [] : [`  what it replaced is backed up in ${safetyBackup.path}`]),
    ...(movedAside === undefined ? [] : [`  what was there is in ${movedAside} now`]),
    ...(report.keptArchives ?? []).map(
      (name) => `  the archive of dedupe that was there, and is not in the backup, is ${name} now`,
    ),
    ...(report.outsideSearchPath === undefined
      ? []
      : [
          `  its tables are in the schema ${report.outsideSearchPath}, which is not on this role’s search_path: services would not find them`,
        ]),
    ...formatPauses(report),
    complete
      ? `  ${tables === 1 ? 'the one table has' : `all ${formatCount(tables)} tables have`} the rows that were backed up`
      : `  ${formatCount(differences.length)} of ${count(tables, 'table', 'tables')} ${differences.length === 1 ? 'differs' : 'differ'} from what was backed up:`,
    ...differences.map(
      ({ table, backedUp, found }) =>
        `    ${table}: ${formatCount(backedUp)} backed up, ${formatCount(found)} found`,
    ),
    ...objects.missing.map((object) => `  ${object}: in the backup, and not here`),
    ...objects.surplus.map((object) => `  ${object}: not in the backup, and here`),
    ...formatVerification(report),
    'next: multi-pair-db status',
  ].join('\n');
}

function formatPauses({ droppedPause, keptPause, lostPause }: RestoreReport): string[] {
  return [
    ...(droppedPause === undefined
      ? []
      : [
          `  the pause that the backup held is of its moment, and not restored: ${describePause(droppedPause)}`,
        ]),
    ...(keptPause === undefined
      ? []
      : [`  runs stay ${describePause(keptPause)}. When they may go on: multi-pair-db resume`]),
    ...(lostPause === undefined
      ? []
      : [
          `  runs were ${describePause(lostPause)}. They are not any more: the restored state is older than the table of the pause`,
        ]),
  ];
}

function formatVerification({ state, verification }: RestoreReport): string[] {
  const { applied, pending } = state;
  const next = 'multi-pair-db migrate takes it further';
  const what =
    pending.length === 0
      ? 'the database is what this release says'
      : // The ground changes nothing that was there.
        applied.every((tag) => tag.startsWith('0000_'))
        ? `as before the migration; ${next}`
        : `as after ${applied.at(-1)}, with ${pending.join(', ')} not applied; ${next}`;
  if (verification?.verified === true) return [`  verified: ${what}`];
  return (verification?.findings ?? [])
    .filter(({ level }) => level === 'fault')
    .map(
      ({ object, expected, found, repair }) => `  ${object}: expected ${expected}, found ${found}. ${repair}`,
    );
}
