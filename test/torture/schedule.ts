import { createRandom } from '../../demo/random.ts';
import type { Fault } from './faults/fault.ts';
import type { Command } from './work/command.ts';
import { type Level, live, reaches } from './work/levels.ts';

/** When a fault happens: before the command, at a share of its usual time, or so long after a statement is seen. */
export type Moment =
  | { readonly kind: 'before' }
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'sight'; readonly sight: string; readonly delayMs: number };

/** One command with one fault: data, made before the run. */
export interface Step {
  readonly number: number;
  /** It begins with a database that was never migrated. */
  readonly isFresh: boolean;
  /** How far the files are applied before. */
  readonly level: Level;
  readonly command: string;
  readonly fault: string;
  readonly moment: Moment;
  readonly holdMs: number;
  /** A service starts, with its DDL, so long after the command; undefined: none does. */
  readonly serviceStartsAfterMs: number | undefined;
  /** For what else is of chance in it. */
  readonly seed: number;
}

/** A database is used for so many steps: its rows grow, and the way from the very beginning is to be gone again. */
const stepsOfDatabase = 15;

/** The steps of a seed, without end: the same seed, the same steps. */
export function* makeSchedule(
  seed: number,
  commands: readonly Command[],
  faults: readonly Fault[],
): Generator<Step, never> {
  const random = createRandom(seed);
  let level = live;
  let age = stepsOfDatabase;
  for (let number = 1; ; number++) {
    const fitting = commands.filter(({ leads }) => leads[level] !== undefined);
    const isFresh = age >= stepsOfDatabase || fitting.length === 0;
    if (isFresh) {
      level = live;
      age = 0;
    }
    const command = choose(
      random,
      isFresh ? commands.filter(({ leads }) => leads[live] !== undefined) : fitting,
    );
    const from: Level = level;
    const fault = choose(
      random,
      faults.filter(({ fits }) => fits(command, from)),
    );
    yield makeStep(random, { number, isFresh, level, command, fault });
    level = command.leads[level] ?? level;
    age++;
  }
}

interface Choice {
  readonly number: number;
  readonly isFresh: boolean;
  readonly level: Level;
  readonly command: Command;
  readonly fault: Fault;
}

function makeStep(random: () => number, { command, fault, ...where }: Choice): Step {
  const [least, most] = fault.holdMs;
  const isBefore = fault.when === 'before' || (fault.when === 'either' && random() < 0.5);
  const moment: Moment = isBefore ? { kind: 'before' } : chooseMoment(random, command, where.level);
  const holdMs = Math.round(least + random() * (most - least));
  const startsMs = Math.round(random() * command.usualMs);
  const starts = random() < 0.4 && fault.stopsServiceStarts !== true && command.name !== 'restore';
  return {
    ...where,
    command: command.name,
    fault: fault.name,
    moment,
    holdMs,
    serviceStartsAfterMs: starts ? startsMs : undefined,
    seed: Math.floor(random() * 2 ** 31),
  };
}

function chooseMoment(random: () => number, { sights }: Command, level: Level): Moment {
  const toCome = sights.filter(({ of }) => of === undefined || !reaches(level, of));
  const sight = toCome[Math.floor(random() * toCome.length)];
  const delayMs = Math.round(random() ** 2 * 120);
  const share = Math.round(random() * 1_000) / 1_000;
  return random() < 0.3 || sight === undefined
    ? { kind: 'share', share }
    : { kind: 'sight', sight: sight.name, delayMs };
}

function choose<T extends { readonly weight: number }>(random: () => number, from: readonly T[]): T {
  let left = random() * from.reduce((sum, { weight }) => sum + weight, 0);
  for (const candidate of from) {
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  const last = from.at(-1);
  if (last === undefined) throw new Error('there is nothing to choose from');
  return last;
}

/** A step as a line. */
export function formatStep({
  number,
  isFresh,
  level,
  command,
  fault,
  moment,
  holdMs,
  serviceStartsAfterMs,
}: Step): string {
  const at =
    moment.kind === 'before'
      ? 'before it begins'
      : moment.kind === 'share'
        ? `at ${Math.round(moment.share * 100)} % of its time`
        : `${moment.delayMs} ms after ${moment.sight}`;
  const held = holdMs > 0 ? `, for ${holdMs} ms` : '';
  const starts =
    serviceStartsAfterMs === undefined ? '' : `; a service starts after ${serviceStartsAfterMs} ms`;
  return `#${number}${isFresh ? ', a new database' : ''}: ${command} from ${level}; ${fault} ${at}${held}${starts}`;
}
