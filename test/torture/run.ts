import { findPrograms } from '../support/client-programs.ts';
import { isOnPath } from '../support/programs.ts';
import type { ServerVersion } from '../support/server.ts';
import { Broken } from './broken.ts';
import { makeReference, type Reference } from './checks/reference.ts';
import type { Fault } from './faults/fault.ts';
import { type Ground, prepareGround } from './ground/ground.ts';
import { Parts } from './parts.ts';
import { prepareStep } from './prepare.ts';
import { playStep, type RoundReport } from './round.ts';
import { formatStep, makeSchedule, type Step } from './schedule.ts';
import { type Services, startServices } from './services/services.ts';
import { Stage } from './stage.ts';
import type { Command, Package } from './work/command.ts';
import { installKits } from './work/kits.ts';
import { live } from './work/levels.ts';

export interface RunOptions {
  readonly seed: number;
  /** So many faults are thrown; steps whose moment did not come are not counted. */
  readonly faults: number;
  readonly commands: readonly Command[];
  readonly kinds: readonly Fault[];
  readonly tried: Package;
  /** Begins with this one, on a database that is brought to where it begins. */
  readonly firstStep?: number | undefined;
  readonly say: (line: string) => void;
}

/** What became of a step. */
export interface StepReport extends Partial<RoundReport> {
  readonly step: Step;
  readonly outcome: 'held' | 'missed' | 'skipped' | 'broken';
  /** Why it was skipped, or what was broken. */
  readonly why?: string;
  /** False: it is the torture that has failed, and nothing was found. */
  readonly isFound?: boolean;
  /** It was only said by how a command ended: what the torture itself looks at was in order. */
  readonly isOnlySaid?: boolean;
  readonly tookMs: number;
}

export interface RunReport {
  readonly steps: readonly StepReport[];
  /** Seconds by part. */
  readonly parts: Readonly<Record<string, number>>;
  readonly broken: StepReport | undefined;
}

/** What many runs can share: a server, the services, and what a database has to be. */
export interface Theatre extends AsyncDisposable {
  readonly version: ServerVersion;
  readonly ground: Ground;
  readonly services: Services;
  readonly reference: Reference;
  /** How many times slower this machine is than the one on which the usual times were measured. */
  readonly slowness: number;
  /** The folder of pg_dump; a later version backs up an older server, too. */
  readonly programs: string | undefined;
}

/** So long it took to make the reference where the usual times of the commands were measured. */
const usualReferenceMs = 2_000;

export async function openTheatre(version: ServerVersion): Promise<Theatre> {
  const ground = await prepareGround(version);
  const services = await startServices();
  const beganMs = Date.now();
  const reference = await makeReference(ground.server);
  const slowness = Math.max(1, (Date.now() - beganMs) / usualReferenceMs);
  return {
    version,
    ground,
    services,
    reference,
    slowness,
    programs: findPrograms(version) ?? findPrograms(18),
    [Symbol.asyncDispose]: async () => {
      await services[Symbol.asyncDispose]();
      await ground[Symbol.asyncDispose]();
    },
  };
}

/** Ends a run after the step of the moment: a server, a mount and child processes are to be put away. */
export const stopping = new AbortController();

/** Throws faults until there were enough, or something is broken. */
export async function runTorture(theatre: Theatre, options: RunOptions): Promise<RunReport> {
  const { commands, kinds, tried, say } = options;
  const { programs = '', ground } = theatre;
  await using kit = await installKits(tried, commands);
  const parts = new Parts();
  const stage = new Stage({ ...theatre, tried, kit, programs, parts });
  const steps: StepReport[] = [];
  let thrown = 0;
  for (const step of makeSchedule(options.seed, commands, kinds)) {
    if (stopping.signal.aborted || thrown >= options.faults || steps.length >= mostSteps(options.faults))
      break;
    if (options.firstStep !== undefined && step.number < options.firstStep) continue;
    if (step.number === options.firstStep) await leadTo(stage, step);
    const command = find(commands, step.command);
    const fault = find(kinds, step.fault);
    const missing = fault.isMissing?.(ground) ?? findMissingProgram(command, theatre.programs);
    const report = await takeStep(stage, { step, command, fault, missing });
    steps.push(report);
    if (report.outcome === 'held') thrown++;
    say(formatReport(report));
    if (report.outcome === 'broken') break;
  }
  await stage.clear();
  return { steps, parts: parts.seconds(), broken: steps.find(({ outcome }) => outcome === 'broken') };
}

/** Where most faults can't be had, it ends all the same. */
const mostSteps = (faults: number): number => faults * 2 + 10;

interface Taken {
  readonly step: Step;
  readonly command: Command;
  readonly fault: Fault;
  readonly missing: string | undefined;
}

async function takeStep(stage: Stage, { step, command, fault, missing }: Taken): Promise<StepReport> {
  const beganMs = Date.now();
  try {
    await stage.parts.time('before the command', () => prepareStep(stage, step, command));
    if (missing !== undefined) {
      await skipTo(stage, step, command);
      return { step, outcome: 'skipped', why: missing, tookMs: Date.now() - beganMs };
    }
    const round = await playStep(stage, step, command, fault);
    // Nothing was in its way: so long it takes now. The machine may have become quicker or slower since the beginning.
    if (!round.thrown && round.ranMs !== undefined)
      stage.slowness = Math.max(1, round.ranMs / command.usualMs);
    return { step, outcome: round.thrown ? 'held' : 'missed', ...round, tookMs: Date.now() - beganMs };
  } catch (error) {
    const isFound = error instanceof Broken;
    const why = isFound ? error.message : `the torture itself has failed: ${describe(error)}`;
    const isOnlySaid = isFound && error.isOnlySaid;
    return { step, outcome: 'broken', isFound, isOnlySaid, why, tookMs: Date.now() - beganMs };
  }
}

const describe = (error: unknown): string => (error instanceof Error ? String(error.stack) : String(error));

/** Where a run begins in the middle of a schedule. */
async function leadTo(stage: Stage, { isFresh, level }: Step): Promise<void> {
  if (isFresh) return;
  await stage.renew();
  if (level !== live) await stage.own('migrate', level);
}

/** What the next step begins with has to be there all the same. */
async function skipTo(stage: Stage, { level }: Step, command: Command): Promise<void> {
  const to = command.leads[level];
  if (to === undefined || to === level) return;
  await stage.own(...(to < level ? ['rollback', level, '--accept-data-loss'] : ['migrate', to]));
}

function findMissingProgram({ name, needs }: Command, programs: string | undefined): string | undefined {
  if (name.startsWith('psql') && !isOnPath('psql')) return 'there is no psql on the PATH';
  if ((name === 'backup' || needs === 'backup') && programs === undefined) return 'there is no pg_dump';
  return undefined;
}

export function find<T extends { readonly name: string }>(among: readonly T[], name: string): T {
  const found = among.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new Error(`there is no ${name}; there are ${among.map((each) => each.name).join(', ')}`);
  return found;
}

function formatReport({
  step,
  outcome,
  why,
  exitCode,
  ranMs = 0,
  longestWaitMs = 0,
  tookMs,
  notes = [],
}: StepReport): string {
  const end =
    outcome === 'held' || outcome === 'missed'
      ? `, exit code ${exitCode ?? 'none'} after ${Math.round(ranMs)} ms`
      : '';
  const wait = longestWaitMs > 0 ? `, longest wait ${Math.round(longestWaitMs)} ms` : '';
  const took = `${(tookMs / 1_000).toFixed(1)} s`;
  return [
    `${formatStep(step)}: ${outcome}${end}${wait} (${took})`,
    ...notes.map((note) => `  noted: ${note}`),
    ...(why === undefined ? [] : [why]),
  ].join('\n');
}
