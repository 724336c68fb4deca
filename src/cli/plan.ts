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
    `-- ${plan.target}: ${plan.migrations.length === 0 ? 'nothing to do' : `${plan.migrations.length} to apply`}`,
    `-- applied already: ${plan.applied.join(', ') || 'none'}`,
    `-- limits in force: ${limits.join(', ')}`,
    ...plan.tables.map((table) => `-- ${formatSize(table)}`),
    ...plan.migrations.flatMap((migration) => formatMigration(migration, plan)),
  ].join('\n');
}

function formatSize({ table, rows, heapBytes, totalBytes }: TableSize): string {
  if (rows === undefined) return `${table}: not there yet`;
  return `${table}: about ${rows} rows, ${formatBytes(heapBytes)} (${formatBytes(totalBytes)} with indexes)`;
}

function formatMigration({ tag, file, mode, steps }: PlannedMigration, plan: DescribedPlan): string[] {
  return [
    '',
    `-- ${tag} (${file})`,
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
