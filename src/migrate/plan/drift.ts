import { OperationError } from '../../connection/errors.ts';
import { formatDuration, formatTime, majorOf } from '../../connection/units.ts';
import type { DescribedPlan } from './describe.ts';
import { fewRows, maxRowsOff } from './row-limits.ts';
import type { SavedPlan } from './saved-plan.ts';

/** A plan is of one night and its preparation. */
export const maxPlanAgeMs = 7 * 86_400_000;
/** A table that was dropped differs in all of its objects. */
const mostNamed = 5;

/**
 * What has changed since a plan was written down, one sentence each; nothing where it still holds.
 *
 * @param now the plan for the same files, made from the database as it is
 */
export function listDrift(saved: SavedPlan, now: DescribedPlan): string[] {
  // Of another database nothing else is worth comparing.
  const other = listOtherDatabase(saved, now);
  if (other.length > 0) return other;
  return [
    ...listAge(saved, now),
    ...listFiles(saved, now),
    ...listCatalog(saved.catalog, now.catalog),
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
      const found = pending.find((one) => one.tag === tag);
      if (found === undefined)
        return [
          isRepair
            ? `other files: ${tag} has nothing to repair any more`
            : now.applied.includes(tag)
              ? `other files: ${tag} has been applied since`
              : `other files: ${file} is not here`,
        ];
      if (found.hash !== hash) return [`other files: ${file} is not the one of the plan`];
      if (found.isRepair !== isRepair)
        return [`other files: ${tag} is ${found.isRepair ? 'to be repaired now' : 'to be applied now'}`];
      return [];
    }),
    ...pending.flatMap(({ tag, isRepair }) =>
      isPlanned(tag)
        ? []
        : [`other files: ${tag} is to be ${isRepair ? 'repaired' : 'applied'}, and is not in the plan`],
    ),
    ...saved.applied.flatMap((tag) =>
      now.applied.includes(tag) ? [] : [`other files: ${tag} was applied, and is not any more`],
    ),
  ];
}

function listCatalog(was: SavedPlan['catalog'], is: SavedPlan['catalog']): string[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].toSorted();
  const changes = names.flatMap((name) => {
    if (was[name] === is[name]) return [];
    return [
      `${name} ${was[name] === undefined ? 'is new' : is[name] === undefined ? 'is gone' : 'is another'}`,
    ];
  });
  if (changes.length === 0) return [];
  const more = changes.length - mostNamed;
  return [
    `another catalog: ${changes.slice(0, mostNamed).join(', ')}${more > 0 ? `, and ${more} more` : ''}`,
  ];
}

function listRows(saved: SavedPlan, now: DescribedPlan): string[] {
  return saved.tables.flatMap(({ table, rows: was }) => {
    const is = now.tables.find((size) => size.table === table)?.rows;
    // Whether a table is there at all is a matter of the catalog.
    if (was === null || is === undefined) return [];
    const off = Math.abs(is - was);
    return off <= was * maxRowsOff || off <= fewRows
      ? []
      : [`other rows: ${table} has about ${is} rows, and the plan is for ${was}`];
  });
}
