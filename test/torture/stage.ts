import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestLine } from '../support/endpoints.ts';
import { Broken } from './broken.ts';
import {
  type Checksum,
  checkDatabase,
  checkLevel,
  countDuplicates,
  readChecksum,
} from './checks/database.ts';
import { findLeftovers, openDoor } from './checks/leftovers.ts';
import type { Reference } from './checks/reference.ts';
import type { Fault } from './faults/fault.ts';
import { type Ground, withSession } from './ground/ground.ts';
import { plantDuplicates, touchedSessions } from './ground/rows.ts';
import type { Step } from './schedule.ts';
import type { Feelings } from './services/messages.ts';
import type { Services } from './services/services.ts';
import type { Command, KitFolders, Order, Package } from './work/command.ts';
import { lastLevel } from './work/levels.ts';
import { ownLine } from './work/own.ts';
import { type CommandLine, type JobEnd, startJob } from './work/process.ts';

/** What a run has at hand. */
export interface StageParts {
  readonly ground: Ground;
  readonly services: Services;
  readonly reference: Reference;
  readonly tried: Package;
  readonly kit: KitFolders;
  readonly programs: string;
  readonly slowness: number;
}

/** The database of the moment, and all that works on it. */
export class Stage {
  readonly ground: Ground;
  readonly services: Services;
  readonly reference: Reference;
  readonly tried: Package;
  readonly slowness: number;
  database = '';
  /** The backup that is restored next. */
  backup = '';
  before: Checksum = '';
  folder = '';
  readonly #parts: StageParts;

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.ground = parts.ground;
    this.services = parts.services;
    this.reference = parts.reference;
    this.tried = parts.tried;
    this.slowness = parts.slowness;
  }

  /** A new database, which was never migrated. */
  async renew(): Promise<void> {
    await this.services.ask({ ask: 'rest' });
    this.database = await this.ground.renew();
    this.folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-torture-'));
    const url = this.directUrl;
    await this.services.ask({ ask: 'open', url, touched: touchedSessions });
    this.before = await withSession(url, readChecksum);
  }

  async clear(): Promise<void> {
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true });
  }

  /** A URL that no fault cuts. */
  get directUrl(): string {
    return this.ground.server.url(this.database);
  }

  orderFor(url: string): Order {
    const { kit, programs } = this.#parts;
    return { url, database: this.database, backup: this.backup, folder: this.folder, kit, programs };
  }

  /** Runs our own program without a fault, and wants a 0. */
  async own(...args: readonly string[]): Promise<JobEnd> {
    return this.#run(ownLine(this.tried, this.orderFor(this.directUrl), args), args.join(' '));
  }

  async tell(word: 'pause' | 'resume'): Promise<void> {
    await this.own(word);
  }

  /** The same command again. */
  async again(command: Command): Promise<void> {
    await this.#run(command.line(this.tried, this.orderFor(this.directUrl)), `${command.name} again`);
  }

  async #run(line: CommandLine, what: string): Promise<JobEnd> {
    const end = await startJob(line).ended;
    if (end.exitCode === 0) return end;
    throw new Broken(`${what}, and nothing is in its way: exit code ${end.exitCode}\n${end.output.trim()}`);
  }
}

/** What has to be there before a command begins. */
export async function prepareStep(stage: Stage, step: Step, command: Command): Promise<void> {
  const { services } = stage;
  if (step.isFresh) {
    await stage.clear();
    await stage.renew();
  }
  await services.ask({ ask: 'work' });
  if (command.needs === 'duplicates') {
    await withSession(stage.directUrl, (sql) => sql.unsafe(plantDuplicates));
    stage.before = await withSession(stage.directUrl, readChecksum);
  }
  if (command.needs === 'backup') {
    // Services rest, as their operator has them rest for a restore: so what is lost by it is known to the row.
    await services.ask({ ask: 'rest' });
    await services.ask({ ask: 'note' });
    const { output } = await stage.own('backup', '--json');
    stage.backup = path.resolve(stage.folder, readPath(output));
    await services.ask({ ask: 'work' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await services.ask({ ask: 'rest' });
  }
}

/** The document may stand among what is said of the progress. */
function readPath(output: string): string {
  const [, found] = /"path": "([^"]+)"/.exec(output) ?? [];
  if (found === undefined) throw new Error(`backup has not said where it is:\n${output}`);
  return found;
}

export interface Played {
  readonly step: Step;
  readonly command: Command;
  readonly fault: Fault;
  readonly line: TestLine;
  /** It has ended in 0: then all of it is done. */
  readonly isWhole: boolean;
}

/** What must hold after a fault; then the command once more, and what must hold after that. */
export async function settleStep(stage: Stage, played: Played): Promise<Feelings> {
  const { step, command, fault, line, isWhole } = played;
  const { services, ground, database } = stage;
  const isRestore = command.needs === 'backup';
  const to = command.leads[step.level] ?? lastLevel;
  await services.ask({ ask: 'rest' });
  if (isRestore && fault.killsServer === true) await openDoor(ground, database);
  throwProblems('left behind', await findLeftovers(ground, database, line.clientPorts()));
  await checkRows(stage, isRestore ? (isWhole ? 'noted' : 'either') : 'committed', 'after the fault');
  if (isWhole) await checkGoal(stage, command, to, 'although it has ended with 0');

  // A restore replaces the tables: services rest until it is done.
  if (!isRestore) await services.ask({ ask: 'work' });
  await stage.again(command);
  if (command.recordsNothing === true) await stage.own('migrate');
  await services.ask({ ask: 'rest' });
  throwProblems('left behind by the next run', await findLeftovers(ground, database, []));
  await checkRows(stage, isRestore ? 'noted' : 'committed', 'after the next run');
  await checkGoal(stage, command, to, 'after the next run', true);
  return services.ask({ ask: 'feelings' });
}

async function checkRows(
  stage: Stage,
  against: 'committed' | 'noted' | 'either',
  when: string,
): Promise<void> {
  const { problems } = await stage.services.ask({ ask: 'audit', url: stage.directUrl, against });
  throwProblems(when, problems);
  const found = await withSession(stage.directUrl, (sql) =>
    checkDatabase(sql, stage.reference, stage.before),
  );
  throwProblems(when, found);
}

async function checkGoal(
  stage: Stage,
  command: Command,
  to: string,
  when: string,
  isSettled = false,
): Promise<void> {
  const isRecorded = isSettled || command.recordsNothing !== true;
  const found = await withSession(stage.directUrl, async (sql) => [
    ...(await checkLevel(sql, stage.reference, to, isRecorded)),
    ...(command.needs === 'duplicates' && (await countDuplicates(sql)) > 0
      ? ['fills are still stored twice']
      : []),
  ]);
  throwProblems(when, found);
}

function throwProblems(when: string, problems: readonly string[]): void {
  if (problems.length > 0)
    throw new Broken(
      `${when}:\n${problems
        .slice(0, 10)
        .map((problem) => `  ${problem}`)
        .join('\n')}`,
    );
}
