import { formatBytes } from '../connection/units.ts';
import type { PlanMode, PlannedMigration } from '../migrate/plan/planned-migration.ts';
import type { PlanStep } from '../migrate/plan/step.ts';
import type { DescribedPlan } from '../own/index.ts';

const modes: Record<PlanMode, string> = {
  transaction: 'in one transaction, all or nothing; tried again when it can’t get a lock',
  own: 'ends the runner’s transaction, works outside one, opens a new one for its record',
  outside: 'outside a transaction, statement by statement',
};

/** The statements of a plan as psql could run them, with what each does to others in comments. */
export const formatPlanSql = (plan: DescribedPlan): string =>
  [
    `-- applied already: ${plan.applied.join(', ') || 'none'}`,
    `-- limits in force: ${Object.entries(plan.limits)
      .map(([name, setting]) => `${name} ${setting}`)
      .join(', ')}`,
    ...[...plan.repairs, ...plan.migrations].flatMap((migration) => formatMigration(migration, plan)),
  ].join('\n');

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
  // A block that only words describe does not name its tables there.
  const isNamed = facts.tables.every((table) => facts.lock.includes(table));
  const tables = isNamed ? '' : ` (${facts.tables.join(', ')})`;
  const text = sql.trim();
  return [
    '',
    `-- ${line === undefined ? 'runner' : `line ${line}`} · lock: ${facts.lock}${tables}`,
    `-- work: ${facts.work}`,
    text.endsWith(';') ? text : `${text};`,
  ];
}
