import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Broken } from './broken.ts';
import { type Checksum, readChecksum } from './checks/database.ts';
import type { Reference } from './checks/reference.ts';
import { type Ground, withSession } from './ground/ground.ts';
import { touchedSessions } from './ground/rows.ts';
import type { Parts } from './parts.ts';
import type { Services } from './services/services.ts';
import type { Command, KitFolders, Order, Package } from './work/command.ts';
import { ownLine } from './work/own.ts';
import { endOf, type JobEnd, startJob } from './work/process.ts';

/** What a run has at hand. */
export interface StageParts {
  readonly ground: Ground;
  readonly services: Services;
  readonly reference: Reference;
  readonly tried: Package;
  readonly kit: KitFolders;
  readonly programs: string;
  readonly slowness: number;
  readonly parts: Parts;
}

/** The database of the moment, and all that works on it. */
export class Stage {
  readonly ground: Ground;
  readonly services: Services;
  readonly reference: Reference;
  readonly tried: Package;
  /** How many times slower this machine is at the moment than where the usual times were measured. */
  slowness: number;
  /** Where its time goes. */
  readonly parts: Parts;
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
    this.parts = parts.parts;
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
    const job = startJob(ownLine(this.tried, this.orderFor(this.directUrl), args));
    const end = await endOf(job, args.join(' '));
    if (end.exitCode !== 0) throw notInOrder(args.join(' '), end);
    return end;
  }

  async tell(word: 'pause' | 'resume'): Promise<void> {
    await this.own(word);
  }

  /** The same command again, however it ends; it has to end. */
  again(command: Command): Promise<JobEnd> {
    const job = startJob(command.line(this.tried, this.orderFor(this.directUrl)));
    return endOf(job, `${command.name} again`);
  }

  /** The file that `backup --json` names; its document may stand among what it says of its progress. */
  pathOf(output: string): string {
    const [, found] = /"path": "([^"]+)"/.exec(output) ?? [];
    if (found === undefined) throw new Error(`backup has not said where it is:\n${output}`);
    return path.resolve(this.folder, found);
  }
}

/** It has not ended with 0, although nothing is in its way. */
export const notInOrder = (what: string, { exitCode, output }: JobEnd): Broken =>
  new Broken(`${what}, and nothing is in its way: exit code ${exitCode}\n${output.trim()}`, {
    isOnlySaid: true,
  });
