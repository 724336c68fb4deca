import type { Connection } from '../../connection/connection.ts';
import { attempt, inCheckTransaction } from '../../connection/read-only.ts';
import type { Project } from '../project.ts';
import { type DescribedPlan, planMigrations } from './describe.ts';
import { refuseDrift, rowsOfPlan } from './drift.ts';
import type { TableSize } from './estimate.ts';
import type { SavedPlan } from './saved-plan.ts';

/**
 * What is left to do of a plan that was written down: all of it, or what its own run has not done before it was stopped.
 *
 * A table whose estimate is off by more than a plan may be is counted, which takes about a second a million rows: a backfill
 * that was stopped half way leaves twice as many pages, and the planner takes them for twice as many rows.
 *
 * @throws OperationError `REFUSED` where anything else has changed since, or the plan is a week old
 */
export async function checkPlan(
  connection: Connection,
  saved: SavedPlan,
  { project, signal }: { readonly project: Project; readonly signal?: AbortSignal | undefined },
): Promise<DescribedPlan> {
  const upTo = saved.upTo ?? undefined;
  const plan = await planMigrations(connection, { project, ...(upTo === undefined ? {} : { upTo }) });
  const counts = await countRows(
    connection,
    plan.tables.filter((size) => rowsOfPlan(saved, size) !== undefined),
    signal,
  );
  const now = {
    ...plan,
    tables: plan.tables.map((size) => ({ ...size, rows: counts[size.table] ?? size.rows })),
  };
  refuseDrift(saved, now);
  return now;
}

/** Of tables as SQL names them. One that can't be counted, because it is locked or hidden in part, is left out. */
async function countRows(
  connection: Connection,
  tables: readonly TableSize[],
  signal: AbortSignal | undefined,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  if (tables.length === 0) return counts;
  await inCheckTransaction(connection, { timeLimitMs: 0, signal }, async (scope) => {
    for (const { table } of tables) {
      const counted = await attempt(scope, () =>
        connection.query<{ rows: number }>(`select count(*) as rows from ${table}`),
      );
      const rows = 'result' in counted ? counted.result[0]?.rows : undefined;
      if (rows !== undefined) counts[table] = rows;
    }
  });
  return counts;
}
