import path from 'node:path';
import type { Command, Order, Package } from './command.ts';
import { below, climbTo, lastLevel, levels, reaches, staysAt } from './levels.ts';
import type { CommandLine } from './process.ts';
import { ofColumns, ofIndexes, ofUndo1, ofUndo2 } from './sights.ts';

/** Our own program, as it is published. */
export const ownLine = ({ root }: Package, order: Order, args: readonly string[]): CommandLine => ({
  program: process.execPath,
  args: [path.join(root, 'dist', 'cli', 'main.js'), ...args, '--url', order.url],
  env: { PG_BIN: order.programs },
  cwd: order.folder,
});

const own =
  (...args: readonly string[]): Command['line'] =>
  (tried, order) =>
    ownLine(tried, order, args);

/** 3: the server can't be reached; 4: refused; 5: a statement failed. */
export const ownFailures: readonly number[] = [3, 4, 5];

/** A standby that is behind for a second is enough to be rested for: nobody here waits for ten. */
const lag = ['--max-replica-lag', '1'];

/** Who is in the way, or that it goes on without them. */
const refusals = {
  1: /surplus rows? (is|are) left: other sessions hold them/,
  4: /another migration of this database is running|gave up after|are in use by|nothing was changed/,
};

/** An error, and not a count of faults. */
const unchecked = /not verified: (?!\d)/;

const common = { mayFailWith: ownFailures, refusals, crowd: 20, stepsBack: true };

export const ownCommands: readonly Command[] = [
  {
    ...common,
    name: 'migrate',
    leads: climbTo(lastLevel),
    weight: 6,
    line: own('migrate', ...lag),
    unchecked,
    usualMs: 1_800,
    sights: [...ofColumns, ...ofIndexes],
  },
  {
    ...common,
    name: 'migrate 001',
    leads: climbTo('001'),
    weight: 2,
    line: own('migrate', '001', ...lag),
    unchecked,
    usualMs: 1_000,
    sights: ofColumns,
  },
  // The first file has no undo.
  ...levels.slice(2).map(
    (level): Command => ({
      ...common,
      name: `rollback ${level}`,
      leads: { [level]: below(level) },
      weight: 5,
      line: own('rollback', level, '--accept-data-loss', ...lag),
      usualMs: 700,
      sights: level === '001' ? ofUndo1 : ofUndo2,
    }),
  ),
  {
    ...common,
    name: 'dedupe',
    leads: staysAt(levels.filter((level) => !reaches(level, '002'))),
    weight: 2,
    line: own('dedupe', '--batch', '100'),
    needs: 'duplicates',
    usualMs: 700,
    sights: [{ name: 'a batch', statement: /^\s*with pair as/i }],
    // 1: others hold some of the rows.
    mayFailWith: [1, ...ownFailures],
  },
  {
    ...common,
    name: 'backup',
    leads: staysAt(levels),
    weight: 2,
    line: own('backup', '--json'),
    usualMs: 900,
    sights: [{ name: 'the copy', statement: /^\s*copy .* to stdout/i }],
    crowd: 5,
  },
  {
    ...common,
    name: 'restore',
    leads: staysAt(levels),
    weight: 3,
    line: (tried, order) =>
      ownLine(tried, order, ['restore', order.backup, '--confirm', order.database, '--disconnect']),
    needs: 'backup',
    usualMs: 2_500,
    sights: [
      { name: 'the first lock', statement: /^\s*lock table/i },
      // Before it, a safety backup copies as well: to stdout.
      { name: 'the copy', statement: /^\s*copy .* from stdin/i },
      { name: 'an index build', statement: /create (unique )?index /i },
      { name: 'the commit', statement: /^\s*commit/i },
    ],
    // Of two, each ends the sessions of the other (`--disconnect`): neither need come through.
    crowd: 1,
  },
];
