import type { Level } from './levels.ts';
import type { CommandLine } from './process.ts';

/** What a command line is made for. */
export interface Order {
  /** A URL of the database. */
  readonly url: string;
  /** Where it works: reports and backups go there. */
  readonly folder: string;
  /** The folder of pg_dump, pg_restore and psql. */
  readonly programs: string;
  readonly database: string;
  /** The backup that is restored. */
  readonly backup: string;
  readonly kit: KitFolders;
}

/** What is tried: the built package with its migrations, or an altered copy of it. */
export interface Package {
  readonly root: string;
}

/** Folders with a drizzle-kit and the migrations in them. */
export interface KitFolders {
  readonly '0.31': string;
  readonly '1.0': string;
}

/** A moment of the work: a statement is on its way to the server. */
export interface Sight {
  readonly name: string;
  readonly statement: RegExp;
  /** The file that it is of, where it is of one: nothing of it is to be seen where that is applied. */
  readonly of?: Level;
}

/** What an operator does. */
export interface Command {
  readonly name: string;
  /** Where it can be run, and how far the files are applied afterwards. */
  readonly leads: Readonly<Record<Level, Level>>;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  line(tried: Package, order: Order): CommandLine;
  /** psql writes no journal row: the engine, which finds all of it done, records it afterwards. */
  readonly recordsNothing?: true;
  /** How long it takes here, about: a fault at a moment of chance is to meet it. */
  readonly usualMs: number;
  readonly sights: readonly Sight[];
  /** Exit codes other than 0 that a fault may lead to. */
  readonly mayFailWith: readonly number[];
  /** What it says, by exit code, where others are in its way and it does nothing; undefined: the programs of others. */
  readonly refusals?: Readonly<Record<number, RegExp>>;
  /** What it says where all is done, and the check at its end could not be made: that is an exit code of 1 that a fault may lead to. */
  readonly unchecked?: RegExp;
  /** How many of it at once are a crowd; 1: it is never in one. */
  readonly crowd: number;
  /** It measures what trading feels and steps back. Under the others a service's start may wait for a build. */
  readonly stepsBack: boolean;
  /** `duplicates` are planted before; `backup` is made before, and services rest. */
  readonly needs?: 'duplicates' | 'backup';
}
