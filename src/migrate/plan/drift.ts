import { OperationError } from '../../connection/errors.ts';
import { count, formatCount, formatDuration, formatTime, majorOf } from '../../connection/units.ts';
import type { DescribedPlan } from './describe.ts';
import type { TableSize } from './estimate.ts';
import type { Fingerprint } from './fingerprint.ts';
import { isOwnWork } from './own-work.ts';
import { fewRows, maxRowsOff } from './row-limits.ts';
import type { SavedPlan } from './saved-plan.ts';

/** A plan is of one night and its preparation. */
export const maxPlanAgeMs = 7 * 86_400_000;
/** A table that was dropped differs in all of its objects. */
const mostNamed = 5;

/**
 * What has changed since a plan was written down, one sentence each; nothing where it still holds. What its own run has
 * done before it was stopped is no change.
 *
 * @param now the plan for the same files, made from the database as it is
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const saved = toSavedPlan(await planMigrations(connection));
 * const changes = listDrift(saved, await planMigrations(connection));
 */
export function listDrift(saved: SavedPlan, now: DescribedPlan): string[] {
  // Of another database nothing else is worth comparing.
  const other = listOtherDatabase(saved, now);
  if (other.length > 0) return other;
  return [
    ...listAge(saved, now),
    ...listFiles(saved, now),
    ...listCatalog(saved, now.catalog),
    ...listRows(saved, now),
  ];
}

/** @throws OperationError `REFUSED` that names the drift. */
export function refuseDrift(saved: SavedPlan, now: DescribedPlan): void {
  const drift = listDrift(saved, now);
  if (drift.length === 0) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `the plan of ${formatTime(saved.createdAtMs)} does not hold any more; nothing was changed:\n  ${drift.join('\n  ')}`,
    advice: 'Make a new plan and read it: multi-pair-db migrate --dry-run --out FILE',
  });
}

function listOtherDatabase(saved: SavedPlan, now: DescribedPlan): string[] {
  const [was, is] = [saved.database, now.database];
  const isKnown = was.systemIdentifier !== null && is.systemIdentifier !== null;
  // The same server may be known by several names; where it does not tell its own, its address has to do.
  const isSame = isKnown
    ? was.systemIdentifier === is.systemIdentifier && was.name === is.name
    : saved.target === now.target;
  if (!isSame) return [`another database: the plan is of ${saved.target}, and this is ${now.target}`];
  const [before, after] = [majorOf(saved.versionNumber), majorOf(now.versionNumber)];
  return before === after
    ? []
    : [`another server: the plan is of PostgreSQL ${before}, and this is ${after}`];
}

function listAge(saved: SavedPlan, now: DescribedPlan): string[] {
  const ageMs = now.createdAtMs - saved.createdAtMs;
  return ageMs <= maxPlanAgeMs
    ? []
    : [
        `too old: the plan was made ${formatDuration(ageMs)} ago, and holds for ${maxPlanAgeMs / 86_400_000} days`,
      ];
}

function listFiles(saved: SavedPlan, now: DescribedPlan): string[] {
  const pending = [...now.repairs, ...now.migrations];
  const isPlanned = (tag: string): boolean => saved.files.some((file) => file.tag === tag);
  return [
    ...saved.files.flatMap(({ tag, file, hash, isRepair }) => {
      if (now.hashes[tag] === undefined) return [`other files: ${file} is not here`];
      if (now.hashes[tag] !== hash) return [`other files: ${file} is not the one of the plan`];
      const found = pending.find((one) => one.tag === tag);
      // Applied since, or repaired: the plan's own run was stopped after it.
      if (found === undefined || found.isRepair === isRepair) return [];
      return [`other files: ${tag} is ${found.isRepair ? 'to be repaired now' : 'to be applied now'}`];
    }),
    ...pending.flatMap(({ tag, isRepair }) =>
      isPlanned(tag)
        ? []
        : [`other files: ${tag} is to be ${isRepair ? 'repaired' : 'applied'}, and is not in the plan`],
    ),
    ...now.applied.flatMap((tag) =>
      isPlanned(tag) || saved.applied.includes(tag)
        ? []
        : [`other files: ${tag} has been applied since, and is not in the plan`],
    ),
    ...saved.applied.flatMap((tag) =>
      now.applied.includes(tag) ? [] : [`other files: ${tag} was applied, and is not any more`],
    ),
  ];
}

function listCatalog({ catalog: was, makes }: SavedPlan, is: Fingerprint): string[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].toSorted();
  const changes = names.flatMap((name) =>
    was[name] === is[name] || isOwnWork(name, { was, is, makes })
      ? []
      : [`${name} ${describeChange(was[name], is[name], makes[name])}`],
  );
  if (changes.length === 0) return [];
  const more = changes.length - mostNamed;
  return [
    `another catalog: ${changes.slice(0, mostNamed).join(', ')}${more > 0 ? `, and ${more} more` : ''}`,
  ];
}

function describeChange(was: string | undefined, is: string | undefined, made: string | undefined): string {
  if (is === undefined) return 'is gone';
  if (made !== undefined && made !== was) return 'is not as the plan makes it';
  return was === undefined ? 'is new' : 'is another';
}

const listRows = (saved: SavedPlan, now: DescribedPlan): string[] =>
  now.tables.flatMap((size) => {
    const was = rowsOfPlan(saved, size);
    return was === undefined
      ? []
      : [
          `other rows: ${size.table} has about ${count(size.rows ?? 0, 'row', 'rows')}, and the plan is for ${formatCount(was)}`,
        ];
  });

/** So many rows the plan is for, where a table has so many more or less that it does not hold; else undefined. */
export function rowsOfPlan({ tables }: SavedPlan, { table, rows: is }: TableSize): number | undefined {
  const was = tables.find((one) => one.table === table)?.rows ?? undefined;
  // Whether a table is there at all is a matter of the catalog.
  if (was === undefined || is === undefined) return undefined;
  const off = Math.abs(is - was);
  return off <= was * maxRowsOff || off <= fewRows ? undefined : was;
}
