import type { IndexBuild, Rewrite, TableLock } from '../project.ts';
import { mergeLocks } from './locks.ts';

/** What one statement does to others, as its tree tells. Where it does not, there is none: what is not known is not guessed. */
export interface Effect {
  /** At most one for each relation, the strongest first. */
  readonly locks: readonly TableLock[];
  /** Is the file of a table written anew? */
  readonly rewrite: Rewrite;
  /** What it reads, writes and waits for. */
  readonly work: string;
  /** True: it changes the catalog, and is done in milliseconds however many rows there are. */
  readonly isQuick: boolean;
  /** Tables that it creates. */
  readonly creates?: readonly string[];
  /** Table that takes as much disk again while it works. */
  readonly rewrites?: string;
  readonly builds?: readonly IndexBuild[];
}

/** Changes the catalog and nothing else. */
export const catalogOnly = (locks: readonly TableLock[], work = 'catalog only'): Effect => ({
  locks: mergeLocks(locks),
  rewrite: 'no',
  work,
  isQuick: true,
});

/** Reads or writes rows; the time it takes grows with them. */
export const worksOnRows = (locks: readonly TableLock[], work: string): Effect => ({
  locks: mergeLocks(locks),
  rewrite: 'no',
  work,
  isQuick: false,
});

const rewriteOrder: readonly Rewrite[] = ['no', 'depends', 'yes'];

/** Several as one: of each the strongest. */
export function joinEffects(effects: readonly Effect[]): Effect {
  const work = [...new Set(effects.map((effect) => effect.work))];
  const said = work.length > 1 ? work.filter((text) => text !== 'catalog only') : work;
  const rewrites = effects.find((effect) => effect.rewrites !== undefined)?.rewrites;
  const creates = effects.flatMap((effect) => effect.creates ?? []);
  const builds = effects.flatMap((effect) => effect.builds ?? []);
  return {
    locks: mergeLocks(effects.flatMap(({ locks }) => locks)),
    rewrite: rewriteOrder.findLast((one) => effects.some(({ rewrite }) => rewrite === one)) ?? 'no',
    work: said.join('; ') || 'nothing',
    isQuick: effects.every(({ isQuick }) => isQuick),
    ...(creates.length === 0 ? {} : { creates }),
    ...(rewrites === undefined ? {} : { rewrites }),
    ...(builds.length === 0 ? {} : { builds }),
  };
}
