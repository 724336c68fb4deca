import type { TestLine } from '../../support/endpoints.ts';
import type { Ground } from '../ground/ground.ts';
import type { Command } from '../work/command.ts';
import type { Level } from '../work/levels.ts';
import type { Job } from '../work/process.ts';

/** Where a fault happens: a command is at work, or about to be. */
export interface Scene {
  readonly ground: Ground;
  readonly database: string;
  /** The way by which the command reaches the server; the services have their own. */
  readonly line: TestLine;
  /** The command; undefined before it has been started. */
  readonly job: Job | undefined;
  /** It ends the sessions of others, as `restore --disconnect` does. */
  readonly endsOthers: boolean;
  /** The command has been started, and has ended. */
  isOver(): boolean;
  /** As many of the same as are a crowd. */
  startCrowd(): void;
  /** `pause` and `resume`, as an operator says them. */
  tell(word: 'pause' | 'resume'): Promise<void>;
  /** Numbers of chance, the same for the same seed. */
  random(): number;
  /** What services wait until what it gives is called is this fault's doing, and no command's. */
  excuse(): () => void;
}

/** Ends a fault. What it finds out of order, it throws as a Broken. */
export type Release = () => Promise<void>;

/** Something that happens to a command, and what it excuses. */
export interface Fault {
  readonly name: string;
  /** What happens, for the report. */
  readonly does: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** Happens before the command begins, at a moment of it, or either. */
  readonly when: 'before' | 'within' | 'either';
  /** For how long, ms. */
  readonly holdMs: readonly [least: number, most: number];
  fits(command: Command, level: Level): boolean;
  /** The command may end with what it says of its failures, and has to end with 0 otherwise. */
  mayFail(command: Command): boolean;
  /** Where our own program fails, it has done nothing, and says who was in the way. */
  readonly onlyRefuses?: true;
  /** The command is ended by a signal. */
  readonly killsClient?: true;
  /** Meanwhile the command can't tell the server to give up what others wait for, and the server sees nothing amiss. */
  readonly keepsFromSteppingBack?: true;
  /** The server itself goes: a restore can't let services in again by itself. */
  readonly killsServer?: true;
  /** It holds a lock for which a starting service waits, and whoever comes behind it: that is not ours. */
  readonly stopsServiceStarts?: true;
  /** Why it can't be had here. */
  isMissing?(ground: Ground): string | undefined;
  /** Undefined: there was no place for it any more. */
  begin(scene: Scene): Promise<Release | undefined>;
}

export const always = (): boolean => true;
export const never = (): boolean => false;
/** What runs files: it takes locks, rests, and writes the journal. */
export const isMigration = ({ name }: Command): boolean => !['dedupe', 'backup', 'restore'].includes(name);
/** Nothing is to be done afterwards. */
export const nothingToRelease: Release = async () => {};
