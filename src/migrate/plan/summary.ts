import type { LockedRelation, LockMode, Rewrite } from '../project.ts';
import type { DescribedPlan } from './describe.ts';
import { isStronger, mergeLocks, strongest } from './locks.ts';
import type { PlannedMigration } from './planned-migration.ts';
import type { PlanRehearsal } from './rehearsal.ts';
import { findRehearsedMs } from './rehearsed-time.ts';
import type { PlanStep } from './step.ts';

/** A plan as an operator reads it first: by file, and the whole. */
export interface PlanSummary {
  readonly files: readonly FileSummary[];
  readonly estimatedMs: number;
  /** As long as the rehearsal took; undefined where a file was not rehearsed on so many rows. */
  readonly rehearsedMs: number | undefined;
  readonly diskBytes: number;
  readonly walBytes: number;
  readonly lock: StrongestLock | undefined;
}

/** What a plan says of one file. */
export interface FileSummary {
  readonly tag: string;
  readonly file: string;
  readonly isRepair: boolean;
  readonly estimatedMs: number;
  readonly rehearsedMs: number | undefined;
  readonly diskBytes: number;
  readonly walBytes: number;
  /** Undefined: none on tables that others use. */
  readonly lock: StrongestLock | undefined;
  /** Tables whose files are written anew, or may be. */
  readonly rewrites: readonly { readonly table: string; readonly rewrite: Exclude<Rewrite, 'no'> }[];
  /** Statements of which it is not known what they lock or rewrite. */
  readonly notKnown: readonly Pick<PlanStep, 'line' | 'sql'>[];
}

/** The strongest lock of some statements. */
export interface StrongestLock {
  readonly mode: LockMode;
  /** Tables that are locked so, by name. */
  readonly tables: readonly string[];
  /** Indexes whose tables are locked so; which these are, the catalog knows. */
  readonly tablesOf: readonly string[];
  /** False: the catalog decides whether it is taken at all. */
  readonly isCertain: boolean;
  /** It is held for milliseconds, however many rows there are. */
  readonly isBrief: boolean;
}

/**
 * A plan as one screen says it: its files, the strongest lock, disk and minutes.
 *
 * @param rehearsal of the plan that was written down, where there was one: its times are better than estimates
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { files, lock } = summarizePlan(await planMigrations(connection));
 */
export function summarizePlan(plan: DescribedPlan, rehearsal?: PlanRehearsal): PlanSummary {
  const files = [...plan.repairs, ...plan.migrations].map((migration) =>
    summarizeFile(migration, plan, rehearsal),
  );
  const add = (read: (file: FileSummary) => number): number =>
    files.reduce((sum, file) => sum + read(file), 0);
  return {
    files,
    estimatedMs: add(({ estimatedMs }) => estimatedMs),
    rehearsedMs:
      files.length > 0 && files.every(({ rehearsedMs }) => rehearsedMs !== undefined)
        ? add(({ rehearsedMs }) => rehearsedMs ?? 0)
        : undefined,
    diskBytes: add(({ diskBytes }) => diskBytes),
    walBytes: add(({ walBytes }) => walBytes),
    lock: joinLocks(files.flatMap(({ lock }) => lock ?? [])),
  };
}

function summarizeFile(
  migration: PlannedMigration,
  plan: DescribedPlan,
  rehearsal: PlanRehearsal | undefined,
): FileSummary {
  const { tag, file, isRepair, mode, steps } = migration;
  return {
    tag,
    file,
    isRepair,
    estimatedMs: plan.estimatedMs[tag] ?? 0,
    rehearsedMs: findRehearsedMs(migration, plan.tables, rehearsal),
    diskBytes: plan.diskBytes[tag] ?? 0,
    walBytes: plan.walBytes[tag] ?? 0,
    lock: joinLocks(steps.flatMap((step) => lockOfStep(step, steps, mode === 'transaction') ?? [])),
    rewrites: steps.flatMap(({ facts: { rewrite = 'no', rewrites, isQuick } }) =>
      rewrite === 'no' || rewrites === undefined || isQuick === true ? [] : [{ table: rewrites, rewrite }],
    ),
    notKnown: steps.flatMap(({ line, sql, facts }) => (facts.locks === undefined ? [{ line, sql }] : [])),
  };
}

/** In one transaction a lock is held until the last statement has ended. */
function lockOfStep(
  { facts }: PlanStep,
  steps: readonly PlanStep[],
  isHeldToTheEnd: boolean,
): StrongestLock | undefined {
  // Of a block whose statements are not known, its own lock is.
  const own = (facts.exclusive ?? []).map(
    (name) => ({ name, on: 'itself', mode: 'ACCESS EXCLUSIVE' }) as const,
  );
  const locks = mergeLocks(facts.locks ?? own);
  const mode = strongest(locks.map((lock) => lock.mode));
  if (mode === undefined) return undefined;
  const same = locks.filter((lock) => lock.mode === mode);
  const certain = same.filter(({ may }) => may !== true);
  const counted = certain.length > 0 ? certain : same;
  const namesOf = (relation: LockedRelation): string[] =>
    counted.flatMap(({ name, on }) => (on === relation ? [name] : []));
  const held = isHeldToTheEnd ? steps.map((step) => step.facts) : [facts];
  return {
    mode,
    tables: namesOf('itself'),
    tablesOf: namesOf('its table'),
    isCertain: certain.length > 0,
    isBrief: held.every(({ isQuick }) => isQuick === true),
  };
}

function joinLocks(locks: readonly StrongestLock[]): StrongestLock | undefined {
  const mode = strongest(locks.map((lock) => lock.mode));
  if (mode === undefined) return undefined;
  const same = locks.filter((lock) => !isStronger(mode, lock.mode));
  const isCertain = same.some((lock) => lock.isCertain);
  const counted = same.filter((lock) => lock.isCertain === isCertain);
  return {
    mode,
    tables: [...new Set(counted.flatMap(({ tables }) => tables))].toSorted(),
    tablesOf: [...new Set(counted.flatMap(({ tablesOf }) => tablesOf))].toSorted(),
    isCertain,
    isBrief: counted.every(({ isBrief }) => isBrief),
  };
}
