import { quoteIdentifier as quote } from '../../connection/identifiers.ts';
import { attempt, type CheckScope } from '../../connection/read-only.ts';
import { formatCount } from '../../connection/units.ts';
import type { CatalogObject } from '../catalog/catalog.ts';
import type { Finding } from '../catalog/compare.ts';
import { applyCommand, type Migrations } from '../catalog/repair.ts';
import { listCountable } from '../presence.ts';
import type { RowRule } from '../project.ts';

export interface RowCheck {
  readonly checkedRows: number | undefined;
  readonly findings: readonly Finding[];
}

/** Counts the rows that break a rule. Reads each table once, whatever the number of its rules. */
export async function checkRows(
  scope: CheckScope,
  rules: readonly RowRule[],
  live: readonly CatalogObject[],
  migrations: Migrations,
): Promise<RowCheck> {
  // A column that is missing is a finding of the catalog.
  const countable = listCountable(rules, live);
  let checkedRows: number | undefined = countable.length === 0 ? undefined : 0;
  const findings: Finding[] = [];
  for (const table of new Set(countable.map((rule) => rule.table))) {
    const own = countable.filter((rule) => rule.table === table);
    const counts = own.map(({ condition }) => `count(*) filter (where ${condition})`);
    const outcome = await attempt(scope, () =>
      scope.connection.query<{ total: number; broken: (number | string)[] }>(
        `select count(*) as total, array[${counts.join(', ')}]::float8[] as broken from ${quote(table)}`,
      ),
    );
    const row = 'result' in outcome ? outcome.result[0] : undefined;
    if (row === undefined) {
      checkedRows = undefined;
      findings.push({
        level: 'fault',
        object: `rows of ${table}`,
        expected: 'counted',
        found: `not checked: ${'reason' in outcome ? outcome.reason : 'no answer'}`,
        repair: 'run verify again as the owner of the tables, or with a longer --time-limit',
      });
      continue;
    }
    if (checkedRows !== undefined) checkedRows += row.total;
    for (const [position, rule] of own.entries()) {
      const broken = Number(row.broken[position] ?? 0);
      if (broken > 0) findings.push(describeBroken(rule, broken, row.total, migrations));
    }
  }
  return { checkedRows, findings };
}

function describeBroken(rule: RowRule, broken: number, total: number, migrations: Migrations): Finding {
  return {
    level: 'fault',
    object: rule.object,
    expected: rule.expected,
    found: `${formatCount(broken)} of ${formatCount(total)} ${rule.table} ${rule.broken}`,
    repair: repairRows(rule, migrations),
  };
}

function repairRows({ migration, table, condition, expected }: RowRule, migrations: Migrations): string {
  if (migration === undefined)
    return `select id from ${quote(table)} where ${condition}; -- make each of them ${expected}`;
  return applyCommand(migration, migrations);
}
