import { formatBytes } from '../connection/units.ts';
import type { PlanMode, PlannedMigration, PlanStep } from '../migrate/plan/plan.ts';
import type { DescribedPlan, TableSize } from '../own/index.ts';

const modes: Record<PlanMode, string> = {
  transaction: 'in one transaction, all or nothing; tried again when it can’t get a lock',
  own: 'ends the runner’s transaction, works outside one, opens a new one for its record',
  outside: 'outside a transaction, statement by statement',
};

/** A plan as SQL that psql could run, with what each step does to others in comments. */
export function formatPlan(plan: DescribedPlan): string {
  const limits = Object.entries(plan.limits).map(([name, setting]) => `${name} ${setting}`);
  return [
    `-- ${plan.target}: ${summarize(plan)}`,
    `-- applied already: ${plan.applied.join(', ') || 'none'}`,
    `-- limits in force: ${limits.join(', ')}`,
    ...plan.tables.map((table) => `-- ${formatSize(table)}`),
    ...[...plan.repairs, ...plan.migrations].flatMap((migration) => formatMigration(migration, plan)),
  ].join('\n');
}

function summarize({ repairs, migrations }: DescribedPlan): string {
  const parts = [
    repairs.length === 0 ? '' : `${repairs.length} to repair`,
    migrations.length === 0 ? '' : `${migrations.length} to apply`,
  ].filter((part) => part !== '');
  return parts.join(', ') || 'nothing to do';
}

function formatSize({ table, rows, heapBytes, totalBytes }: TableSize): string {
  if (rows === undefined) return `${table}: not there yet`;
  return `${table}: about ${rows} rows, ${formatBytes(heapBytes)} (${formatBytes(totalBytes)} with indexes)`;
}

function formatMigration(
  { tag, file, mode, isRepair, steps }: PlannedMigration,
  plan: DescribedPlan,
): string[] {
  return [
    '',
    `-- ${tag} (${file})${isRepair ? ': applied, and run again for what is missing or damaged' : ''}`,
    `-- ${modes[mode]}`,
    `-- disk: about ${formatBytes(plan.diskBytes[tag] ?? 0)}, WAL: about ${formatBytes(plan.walBytes[tag] ?? 0)}`,
    ...steps.flatMap(formatStep),
  ];
}

function formatStep({ sql, line, facts }: PlanStep): string[] {
  const tables = facts.tables.length === 0 ? '' : ` (${facts.tables.join(', ')})`;
  const text = sql.trim();
  return [
    '',
    `-- ${line === undefined ? 'runner' : `line ${line}`} · lock: ${facts.lock}${tables}`,
    `-- work: ${facts.work}`,
    text.endsWith(';') ? text : `${text};`,
  ];
}
