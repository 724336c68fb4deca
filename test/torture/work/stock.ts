import path from 'node:path';
import { migrationOf, tags } from '../../support/facts.ts';
import type { Command, KitFolders, Package } from './command.ts';
import { below, climbTo, lastLevel, levels } from './levels.ts';
import type { CommandLine } from './process.ts';
import { ofColumns, ofIndexes, ofUndo1, ofUndo2 } from './sights.ts';

// The files alone: no canary measures, and nobody steps back where a service that starts waits behind a build.

const kitLine = (folder: string, url: string): CommandLine => ({
  program: process.execPath,
  args: [path.join(folder, 'node_modules', 'drizzle-kit', 'bin.cjs'), 'migrate'],
  env: { DATABASE_URL: url },
  cwd: folder,
});

export const kitName = (version: keyof KitFolders): string => `drizzle-kit ${version}`;

const kit = (version: keyof KitFolders, weight: number): Command => ({
  name: kitName(version),
  leads: climbTo(lastLevel),
  weight,
  line: (_, order) => kitLine(order.kit[version], order.url),
  usualMs: 2_200,
  sights: [...ofColumns, ...ofIndexes],
  mayFailWith: [1],
  crowd: 20,
  stepsBack: false,
});

/** One psql a file: a file ends in the transaction of its journal row, which is the runner's to write. */
const psqlLine = (tried: Package, url: string, [name = '', ...others]: readonly string[]): CommandLine => ({
  program: 'psql',
  args: [
    ...['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url],
    ...['-f', path.join(tried.root, 'drizzle', `${name}.sql`)],
  ],
  cwd: tried.root,
  next: others.length === 0 ? undefined : psqlLine(tried, url, others),
});

// 1: psql itself; 2: the connection is lost; 3: a statement failed.
const psql = { mayFailWith: [1, 2, 3], crowd: 20, stepsBack: false };

export const stockCommands: readonly Command[] = [
  kit('0.31', 3),
  kit('1.0', 2),
  {
    ...psql,
    name: 'psql',
    leads: climbTo(lastLevel),
    weight: 2,
    line: (tried, { url }) => psqlLine(tried, url, tags),
    recordsNothing: true,
    usualMs: 1_300,
    sights: [...ofColumns, ...ofIndexes],
  },
  ...levels.slice(2).map(
    (level): Command => ({
      ...psql,
      name: `psql, undo ${level}`,
      leads: { [level]: below(level) },
      weight: 2,
      line: (tried, { url }) => psqlLine(tried, url, [`down/${migrationOf(level).tag}`]),
      usualMs: 400,
      sights: level === '001' ? ofUndo1 : ofUndo2,
    }),
  ),
];
