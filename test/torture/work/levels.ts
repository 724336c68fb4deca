import { tags } from '../../support/facts.ts';

/** How far the files are applied: `live` is a database that was never migrated, `001` one whose last file is that one. */
export type Level = string;

export const live: Level = 'live';
/** In the order of the files. */
export const levels: readonly Level[] = [live, ...tags.map((tag) => tag.slice(1, 4))];
export const lastLevel: Level = levels.at(-1) ?? live;
/** The level that is one file below. */
export const below = (level: Level): Level => levels[levels.indexOf(level) - 1] ?? live;
/** Are all files up to this one applied? */
export const reaches = (level: Level, file: Level): boolean => levels.indexOf(level) >= levels.indexOf(file);

/** From any level below, to this one. */
export const climbTo = (top: Level): Readonly<Record<Level, Level>> =>
  Object.fromEntries(levels.slice(0, levels.indexOf(top)).map((level) => [level, top]));
/** From each of these, to the same. */
export const staysAt = (among: readonly Level[]): Readonly<Record<Level, Level>> =>
  Object.fromEntries(among.map((level) => [level, level]));
