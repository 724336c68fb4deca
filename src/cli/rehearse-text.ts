import { formatBytes, formatCount, formatDuration, formatTime } from '../connection/units.ts';
import type { RehearsalReport } from '../ops/rehearse/rehearsal-report.ts';
import { describeLock } from './plan-screen.ts';
import { formatTable } from './table.ts';

/** A rehearsal, for a person. */
export function formatRehearsal(report: RehearsalReport, planFile: string): string {
  const { target, rehearsedOn, notes, backup, steps, passed } = report;
  return [
    `${target}: ${passed ? 'rehearsed' : 'rehearsed, and not as it should be,'} on ${rehearsedOn}`,
    `  from ${backup.path}, backed up ${formatTime(backup.startedAtMs)}`,
    ...notes.map((note) => `  note: ${note}`),
    '',
    ...formatTable([
      ['step', '>took', '>WAL', '>size', '>at most'],
      ...steps.map(({ name, durationMs, walBytes, sizeBytes, peakBytes }) => [
        name,
        formatDuration(durationMs),
        formatBytes(walBytes),
        formatBytes(sizeBytes),
        formatBytes(peakBytes),
      ]),
    ]).map((line) => `  ${line}`),
    '',
    ...formatMigration(report),
    ...formatFaults(report),
    ...formatEnd(report, planFile),
  ].join('\n');
}

function formatMigration({ pending, rehearsal, estimatedMs, lock }: RehearsalReport): string[] {
  if (pending.length === 0)
    return ['  migrate    nothing is pending in the backup: no time was measured, nothing was rolled back'];
  const tookMs = rehearsal.files.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return [
    `  migrate    ${pending.join(', ')}: ${formatDuration(tookMs)}, and the estimate was ${formatDuration(estimatedMs)}`,
    `  strongest  ${describeLock(lock, false)}`,
  ];
}

function formatFaults({ passed, restore, findings }: RehearsalReport): string[] {
  const { differences, objects } = restore;
  const faults = findings.filter(({ level }) => level === 'fault');
  return [
    ...differences.map(
      ({ table, backedUp, found }) =>
        `  ${table}: ${formatCount(backedUp)} backed up, ${formatCount(found)} found in the copy`,
    ),
    ...objects.missing.map((object) => `  ${object}: in the backup, and not in the copy`),
    ...objects.surplus.map((object) => `  ${object}: not in the backup, and in the copy`),
    ...faults.map(
      ({ step, object, expected, found }) => `  ${step}: ${object}: expected ${expected}, found ${found}`,
    ),
    passed ? '  verified: the copy was what this release says, each time' : '  not verified',
  ];
}

function formatEnd({ passed, isKept, dropFault, rehearsedOn }: RehearsalReport, planFile: string): string[] {
  const copy =
    dropFault !== undefined
      ? `  ${rehearsedOn} could not be dropped: ${dropFault}`
      : `  ${rehearsedOn} is ${isKept ? 'kept; the next rehearsal drops it' : 'dropped'}`;
  return passed
    ? [copy, `  the plan is in ${planFile}`, `next: multi-pair-db migrate --dry-run --plan ${planFile}`]
    : [copy, 'next: repair what was found, then multi-pair-db rehearse'];
}
