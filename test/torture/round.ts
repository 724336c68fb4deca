import { setTimeout as sleep } from 'node:timers/promises';
import { startLine } from '../support/endpoints.ts';
import { Broken } from './broken.ts';
import { type Excuse, judgeWaits } from './checks/waits.ts';
import type { Fault, Scene } from './faults/fault.ts';
import { openScene } from './scene.ts';
import type { Step } from './schedule.ts';
import { settleStep } from './settle.ts';
import type { Stage } from './stage.ts';
import { startWatch, type Watch } from './watch.ts';
import type { Command } from './work/command.ts';
import type { Job, JobEnd } from './work/process.ts';

/** What became of a step that has broken nothing. */
export interface RoundReport {
  /** False: the command had ended before its moment came. */
  readonly thrown: boolean;
  readonly exitCode: number | undefined;
  /** How long the command took, its fault with it. */
  readonly ranMs: number | undefined;
  readonly longestWaitMs: number;
  readonly statements: number;
}

/** A command that has not ended so long after its fault is over hangs. One of a crowd waits a minute for its turn. */
const patienceMs = 120_000;

/** One command, one fault, and what must hold after it. */
export async function playStep(
  stage: Stage,
  step: Step,
  command: Command,
  fault: Fault,
): Promise<RoundReport> {
  await using line = await startLine(stage.ground.server.port);
  await using watch = startWatch(stage.ground.server.url('postgres'), line);
  using open = openScene(stage, step, command, line);
  const { scene, jobs, excuses } = open;
  const starts = startServiceLater(stage, step);
  const thrown = await throwFault(scene, {
    step,
    command,
    fault,
    watch,
    slowness: stage.slowness,
    start: open.start,
  });
  const ends = await Promise.all(jobs.map((job) => endOf(job, command)));
  const [unlocked] = watch.unlocked();
  if (unlocked !== undefined) throw new Broken(`worked without the lock of the migrations: ${unlocked}`);
  const started = await starts;
  // Without a runner that steps back, who starts waits for a build, and whoever comes waits behind him.
  if (!command.stepsBack && started !== undefined) excuses.push(started);
  judgeEnds(ends, command, thrown ? fault : undefined);
  const isWhole = ends.some(({ exitCode }) => exitCode === 0);
  const feelings = await settleStep(stage, { step, command, fault, line, isWhole });
  const judged = judgeWaits(feelings, excuses, watch.queues());
  const problems = [...judged.problems, ...feelings.surprises];
  if (problems.length > 0) throw new Broken(problems.join('\n'));
  return {
    thrown,
    exitCode: ends[0]?.exitCode,
    ranMs: ends[0]?.ranMs,
    longestWaitMs: judged.longestMs,
    statements: feelings.statements,
  };
}

interface Play {
  readonly step: Step;
  readonly command: Command;
  readonly fault: Fault;
  readonly watch: Watch;
  /** How many times slower this machine is than the one on which the usual times were measured. */
  readonly slowness: number;
  start(): void;
}

/** Starts the command, and throws the fault at its moment; false where the command was over before. */
async function throwFault(scene: Scene, play: Play): Promise<boolean> {
  const { fault, start } = play;
  const { moment, holdMs } = play.step;
  const isBefore = moment.kind === 'before';
  const early = isBefore ? await fault.begin(scene) : undefined;
  start();
  const isMet = isBefore || (await awaitMoment(scene, play));
  const release = early ?? (isMet ? await fault.begin(scene) : undefined);
  try {
    if (release !== undefined) await sleep(holdMs);
  } finally {
    await release?.();
  }
  return isMet;
}

async function awaitMoment(
  scene: Scene,
  { step: { moment }, command, watch, slowness }: Play,
): Promise<boolean> {
  if (moment.kind === 'share') await sleep(moment.share * command.usualMs * slowness);
  if (moment.kind === 'sight') {
    const sight = command.sights.find(({ name }) => name === moment.sight);
    if (sight === undefined) throw new Error(`${command.name} has no sight ${moment.sight}`);
    if (await watch.see(sight.statement, scene.isOver)) await sleep(moment.delayMs);
  }
  return !scene.isOver();
}

async function endOf(job: Job, command: Command): Promise<JobEnd> {
  const end = await Promise.race([job.ended, sleep(patienceMs, undefined, { ref: false })]);
  if (end !== undefined) return end;
  job.child.kill('SIGKILL');
  throw new Broken(`${command.name} has not ended ${patienceMs / 1_000} s after its fault was over`);
}

async function startServiceLater(
  { services }: Stage,
  { serviceStartsAfterMs }: Step,
): Promise<Excuse | undefined> {
  if (serviceStartsAfterMs === undefined) return undefined;
  await sleep(serviceStartsAfterMs);
  return services.ask({ ask: 'start' }, patienceMs);
}

/** Words that no command may say: it has met what nobody thought of. */
const ownFault = /This is a fault of multi-pair-db|unexpected:/;

function judgeEnds(ends: readonly JobEnd[], command: Command, fault: Fault | undefined): void {
  for (const { exitCode, output } of ends) {
    const said = output.trim().split('\n').slice(-8).join('\n');
    if (ownFault.test(output)) throw new Broken(`${command.name} has met a fault of its own:\n${said}`);
    const mayFail = fault?.mayFail(command) === true;
    const isFine =
      exitCode === 0 ||
      (exitCode === undefined
        ? fault?.killsClient === true
        : mayFail && command.mayFailWith.includes(exitCode));
    if (!isFine) throw new Broken(`${command.name} has ended with ${exitCode ?? 'a signal'}:\n${said}`);
  }
}
