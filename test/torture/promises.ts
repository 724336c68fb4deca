import type { Count } from './count.ts';

/** What the package promises, and where the torture asks for it. */
export interface Promised {
  readonly promise: string;
  /** The check, by its file, that finds it broken. */
  readonly check: string;
  /** Faults that try it; undefined: each of them. */
  readonly faults?: readonly string[];
  /** Commands that it is a promise of; undefined: each of them. */
  readonly commands?: readonly string[];
  /** Faults of our own that break it, with which it has to be found. */
  readonly sabotages: readonly string[];
}

const inTheWay = ['a long transaction', 'an idle transaction', 'a prepared transaction'];
const breaksOff = [
  'client killed',
  'client interrupted',
  'server killed',
  'backends terminated',
  'statements cancelled',
  'line cut half open',
  'disk full',
];

/** In the order of what they cost when they are broken. */
export const promises: readonly Promised[] = [
  {
    promise: 'no committed row is lost, changed or brought back',
    check: 'services/audit.ts, checks/database.ts',
    sabotages: ['copy-without-archive', 'undo-forgets', 'undo-misses-changes', 'restore-in-two'],
  },
  {
    promise: 'the journal says nothing that is not there, and whose rows are not filled',
    check: 'checks/database.ts',
    faults: [...breaksOff, ...inTheWay, 'many at once'],
    sabotages: ['journal-first', 'proof-left-out', 'batch-skipped'],
  },
  {
    promise: 'the next run converges on the very same schema, and ends with 0',
    check: 'checks/database.ts',
    sabotages: ['proof-left-out', 'undo-forgets'],
  },
  {
    promise: 'no trade waits longer than the limit, unless the server itself is down',
    check: 'checks/waits.ts',
    faults: [
      ...inTheWay,
      'client stopped',
      'line cut half open',
      'a standby with a long query',
      'many at once',
    ],
    sabotages: ['waits-in-the-queue'],
  },
  {
    promise: 'no session, lock, setting, pause or closed door is left behind',
    check: 'checks/leftovers.ts',
    sabotages: ['setting-left', 'door-left-closed'],
  },
  {
    promise: 'one migration of a database at a time, whoever runs it',
    check: 'watch.ts',
    faults: ['many at once', 'client stopped'],
    sabotages: ['lock-not-taken'],
  },
  {
    promise: 'who is in the way is named, and nothing is done: exit code 4',
    check: 'work/ends.ts',
    faults: [...inTheWay, 'many at once'],
    sabotages: [],
  },
  {
    promise: 'a pause holds every run, under each runner',
    check: 'faults/others.ts',
    faults: ['a pause'],
    sabotages: ['pause-ignored'],
  },
  {
    promise: 'what was committed before a backup began is in it, seen by restoring it',
    check: 'settle.ts',
    commands: ['backup'],
    sabotages: [],
  },
  {
    promise: 'a restore makes the database what the backup says, or changes nothing',
    check: 'services/audit.ts',
    commands: ['restore'],
    sabotages: ['restore-in-two', 'door-left-closed'],
  },
];

/** A promise, and how many faults have tried it. */
export interface TriedPromise extends Promised {
  readonly tried: number;
}

export const countTried = (
  byFault: Readonly<Record<string, Count>>,
  byCommand: Readonly<Record<string, Count>>,
): readonly TriedPromise[] =>
  promises.map((promised) => {
    const [counts, names] =
      promised.commands === undefined ? [byFault, promised.faults] : [byCommand, promised.commands];
    const tried = Object.entries(counts)
      .filter(([name]) => names === undefined || names.includes(name))
      .reduce((sum, [, { held }]) => sum + held, 0);
    return { ...promised, tried };
  });
