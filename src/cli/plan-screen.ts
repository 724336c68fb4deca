import { count, formatBytes, formatDuration, formatTime, formatVersion } from '../connection/units.ts';
import { lockMeanings } from '../migrate/plan/locks.ts';
import type { Backup } from '../ops/backup/backup-file.ts';
import type {
  DescribedPlan,
  FileSummary,
  PlanRehearsal,
  PlanSummary,
  StrongestLock,
  TableSize,
} from '../own/index.ts';

/** What the screen shows beside the plan. */
export interface PlanSurroundings {
  /** What the plan that was written down has of a rehearsal. */
  readonly rehearsal?: PlanRehearsal | undefined;
  /** The latest that is recorded in `folder`. */
  readonly backup: Backup | undefined;
  readonly folder: string;
}

/** So that it can be read in any terminal, and pasted into a ticket. */
const width = 80;
const labelWidth = 15;

/** A plan on one screen: what is run, what it locks, how long it takes, and what it needs. */
export function formatPlanScreen(
  plan: DescribedPlan,
  summary: PlanSummary,
  { backup, folder, rehearsal }: PlanSurroundings,
): string {
  const { target, versionNumber, tables } = plan;
  const heads = summary.files.map((file) => file.tag.length);
  return [
    `${target}, PostgreSQL ${formatVersion(versionNumber)}: ${describeWork(summary)}`,
    '',
    ...summary.files.flatMap((file) => formatFile(file, Math.max(...heads))),
    ...(summary.files.length === 0 ? [] : formatWhole(summary, rehearsal)),
    ...formatTables(tables),
    ...row('backup', describeBackup(backup, folder, plan.createdAtMs)),
  ].join('\n');
}

function describeWork({ files }: PlanSummary): string {
  const repairs = files.filter(({ isRepair }) => isRepair).length;
  const parts = [
    ...(repairs > 0 ? [`${repairs} to repair`] : []),
    ...(files.length > repairs ? [`${files.length - repairs} to apply`] : []),
  ];
  return parts.join(', ') || 'nothing to do';
}

function formatFile(
  { tag, isRepair, estimatedMs, rehearsedMs, diskBytes, lock, rewrites, notKnown, file }: FileSummary,
  longest: number,
): string[] {
  const disk = diskBytes === 0 ? '' : `, ${formatBytes(diskBytes)} of disk`;
  const written = rewrites.map(({ table, rewrite }) => `${rewrite === 'yes' ? '' : 'perhaps '}${table}`);
  const time =
    rehearsedMs === undefined
      ? `${notKnown.length > 0 ? 'at least' : 'about'} ${formatDuration(estimatedMs)}`
      : `${formatDuration(rehearsedMs)}, as rehearsed`;
  const lines = notKnown.map(({ line }) => (line === undefined ? 'of the runner' : String(line)));
  return [
    `  ${tag.padEnd(longest)}  ${time}${disk}${isRepair ? '; applied, run again for what is missing' : ''}`,
    ...row('  lock', describeLock(lock, notKnown.length > 0)),
    ...(written.length === 0 ? [] : row('  rewrites', [...new Set(written)].join(', '))),
    ...(lines.length === 0
      ? []
      : row('  not known', `what ${file} does on line ${lines.join(', ')}: read it (--sql)`)),
  ];
}

function formatWhole(summary: PlanSummary, rehearsal: PlanRehearsal | undefined): string[] {
  const { files, diskBytes, walBytes, lock } = summary;
  const isInPart = files.some(({ notKnown }) => notKnown.length > 0);
  return [
    '',
    ...row('time', describeTime(summary, rehearsal, isInPart)),
    ...row('strongest', describeLock(lock, isInPart)),
    ...row('disk', `about ${formatBytes(diskBytes)}, and ${formatBytes(walBytes)} of WAL`),
  ];
}

function describeTime(
  { estimatedMs, rehearsedMs }: PlanSummary,
  rehearsal: PlanRehearsal | undefined,
  isInPart: boolean,
): string {
  const estimate = `${isInPart ? 'at least' : 'about'} ${formatDuration(estimatedMs)}: an estimate from rows and bytes, without waits for others`;
  if (rehearsal === undefined) return estimate;
  const place = `on ${rehearsal.target}, ${formatTime(rehearsal.endedAtMs)}`;
  return rehearsedMs === undefined
    ? `${estimate}; not every file was rehearsed on so many rows (${place})`
    : `${formatDuration(rehearsedMs)}, as rehearsed ${place}, without waits for others`;
}

/** The strongest lock, in words: where it is, and who waits. */
export function describeLock(lock: StrongestLock | undefined, isInPart: boolean): string {
  if (lock === undefined) return isInPart ? 'none that is known' : 'none on tables';
  const { mode, tables, tablesOf, isCertain, isBrief } = lock;
  const on = tables.length > 0 ? tables.join(', ') : `the tables of ${tablesOf.join(', ')}`;
  const meaning = lockMeanings[mode];
  const isFelt = meaning.endsWith('wait') || meaning.endsWith('waits');
  const held = !isFelt ? '' : isBrief ? ', for some milliseconds' : ', for as long as it works';
  return `${isInPart ? 'at least ' : ''}${isCertain ? '' : 'perhaps '}${mode} on ${on}: ${meaning}${held}`;
}

/** The largest; a folder of somebody else may have a hundred. */
const mostTables = 6;

function formatTables(tables: readonly TableSize[]): string[] {
  const known = tables
    .filter(({ rows }) => rows !== undefined)
    .toSorted((a, b) => b.totalBytes - a.totalBytes);
  const more = known.length - mostTables;
  return [
    ...known.slice(0, mostTables).map(describeTable),
    ...(more > 0 ? [`and ${more} more, all of them smaller`] : []),
  ].flatMap((text, at) => row(at === 0 ? 'tables' : '', text));
}

const describeTable = ({ table, rows = 0, totalBytes }: TableSize): string =>
  `${table}: about ${count(rows, 'row', 'rows')}, ${formatBytes(totalBytes)}`;

function describeBackup(backup: Backup | undefined, folder: string, nowMs: number): string {
  if (backup === undefined) return `none of this database in ${folder}; multi-pair-db backup makes one`;
  const { startedAtMs, sizeBytes } = backup.record;
  return `${backup.path}, ${formatDuration(nowMs - startedAtMs)} old, ${formatBytes(sizeBytes)}; --require-backup checks the file`;
}

/** A label and a text, whose further lines stand under the first. */
function row(label: string, text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && labelWidth + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line, at) => `${(at === 0 ? `  ${label}` : '').padEnd(labelWidth)}${line}`.trimEnd());
}
