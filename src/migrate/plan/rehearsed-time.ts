import type { TableSize } from './estimate.ts';
import type { PlannedMigration } from './planned-migration.ts';
import type { PlanRehearsal } from './rehearsal.ts';
import { fewRows, maxRowsOff } from './row-limits.ts';

/**
 * How long a file will take, by how long it took in the rehearsal: in proportion to the rows, where they differ a little.
 * Undefined where it was not rehearsed, or the copy had other rows than a plan may have: then the estimate is better.
 */
export function findRehearsedMs(
  { tag, hash, isRepair, steps }: PlannedMigration,
  tables: readonly TableSize[],
  rehearsal: PlanRehearsal | undefined,
): number | undefined {
  const file = rehearsal?.files.find((one) => one.tag === tag && one.hash === hash);
  // A repair does a part of the work; which part, the rehearsal does not know.
  if (rehearsal === undefined || file === undefined || isRepair) return undefined;
  const names = [...new Set(steps.flatMap(({ facts }) => facts.tables))];
  const add = (list: readonly { readonly table: string; readonly rows?: number | null | undefined }[]) =>
    list.reduce((sum, { table, rows }) => sum + (names.includes(table) ? (rows ?? 0) : 0), 0);
  const [was, is] = [add(rehearsal.tables), add(tables)];
  const off = Math.abs(is - was);
  if (off <= fewRows) return file.durationMs;
  return off <= was * maxRowsOff ? Math.round((file.durationMs * is) / was) : undefined;
}
