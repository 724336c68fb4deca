import { setTimeout as sleep } from 'node:timers/promises';
import { startLine } from '../support/endpoints.ts';
import { Broken } from './broken.ts';
import { type Excuse, judgeWaits } from './checks/waits.ts';
import type { Fault, Scene } from './faults/fault.ts';
import { openScene } from './scene.ts';
import type { Step } from './schedule.ts';
import { seeSent } from './sent.ts';
import { nowMs } from './services/clock.ts';
import { checkFault, settleStep } from './settle.ts';
import type { Stage } from './stage.ts';
import { startWatch } from './watch.ts';
import type { Command } from './work/command.ts';
import { findOddEnd } from './work/ends.ts';
import { endOf, type JobEnd, patienceMs } from './work/process.ts';

/** What became of a step that has broken nothing. */
export interface RoundReport {
  /** False: the command had ended before its moment came. */
  readonly thrown: boolean;
  readonly exitCode: number | undefined;
  /** How long the command took, its fault with it. */
  readonly ranMs: number | undefined;
  readonly longestWaitMs: number;
  readonly statements: number;
  /** A service started meanwhile under a runner that does not, or can't, step back: what others waited then is not counted. */
  readonly isStartExcused: boolean;
  /** Long waits for which no lock was seen, and what machine and server were at. */
  readonly notes: readonly string[];
}

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
  const { scene, jobs, excuses, start } = open;
  const { slowness, parts } = stage;
  const seen = (): readonly string[] =>
    watch
      .looks()
      .slice(-3)
      .map(({ text }) => text);
  const play = async (): Promise<Ended> => {
    const held = await throwFault(scene, { step, command, fault, slowness, start });
    return { held, ends: await Promise.all(jobs.map((job) => endOf(job, command.name, seen))) };
  };
  const [{ held, ends }, started] = await parts.time('the command and its fault', () =>
    both(play(), startServiceLater(stage, step)),
  );
  const thrown = held !== undefined;
  const [unlocked] = watch.unlocked();
  if (unlocked !== undefined) throw new Broken(`worked without the lock of the migrations: ${unlocked}`);
  // Without a runner that steps back, who starts waits for a build, and whoever comes waits behind him. If the build waits
  // for his transaction in turn, PostgreSQL ends one of the two.
  const isStock = !command.stepsBack;
  const isHeld = fault.keepsFromSteppingBack === true && held !== undefined;
  const isExcused = started !== undefined && (isStock || (isHeld && overlap(started, held)));
  if (isExcused) excuses.push(started);
  const isWhole = ends.some(({ exitCode }) => exitCode === 0);
  const played = { step, command, fault, line, isWhole };
  const odd = findOdd(ends, command, {
    fault: thrown ? fault : undefined,
    byDeadlock: isStock && started !== undefined,
  });
  await checkFault(stage, played).catch((error: unknown) => {
    throw error instanceof Broken && odd !== undefined ? new Broken(`${error.message}\n${odd}`) : error;
  });
  if (odd !== undefined) throw new Broken(odd, { isOnlySaid: true });
  const feelings = await settleStep(stage, played);
  const judged = judgeWaits(feelings, excuses, { queues: watch.queues(), looks: watch.looks() });
  const problems = [...judged.problems, ...feelings.surprises];
  if (problems.length > 0) throw new Broken(problems.join('\n'));
  return {
    thrown,
    exitCode: ends[0]?.exitCode,
    ranMs: ends[0]?.ranMs,
    longestWaitMs: judged.longestMs,
    statements: feelings.statements,
    isStartExcused: isExcused,
    notes: judged.notes,
  };
}

interface Ended {
  /** From when to when the fault lasted; undefined where the command was over before. */
  readonly held: Span | undefined;
  readonly ends: readonly JobEnd[];
}

/** What fails of the two is thrown when both have ended; of two that failed, what was found. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  const reasons = [a, b].flatMap((result): unknown[] =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  throw reasons.find((reason) => reason instanceof Broken) ?? reasons[0];
}

interface Play {
  readonly step: Step;
  readonly command: Command;
  readonly fault: Fault;
  /** How many times slower this machine is than the one on which the usual times were measured. */
  readonly slowness: number;
  start(): void;
}

type Span = Readonly<Excuse>;

const nothing = { fromMs: 0, release: undefined } as const;

const overlap = (a: Span, b: Span): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs;

/** Starts the command, and throws the fault at its moment. */
async function throwFault(scene: Scene, play: Play): Promise<Span | undefined> {
  const { fault, start } = play;
  const { moment, holdMs } = play.step;
  const isBefore = moment.kind === 'before';
  const begin = async () => ({ fromMs: nowMs(), release: await fault.begin(scene) });
  const early = isBefore ? await begin() : undefined;
  start();
  const isMet = !isBefore && (await awaitMoment(scene, play));
  const { fromMs, release } = early ?? (isMet ? await begin() : nothing);
  if (release === undefined) return undefined;
  try {
    await sleep(holdMs);
  } finally {
    await release();
  }
  return { fromMs, toMs: nowMs() };
}

async function awaitMoment(scene: Scene, { step: { moment }, command, slowness }: Play): Promise<boolean> {
  if (moment.kind === 'share') await sleep(moment.share * command.usualMs * slowness);
  if (moment.kind === 'sight') {
    const sight = command.sights.find(({ name }) => name === moment.sight);
    if (sight === undefined) throw new Error(`${command.name} has no sight ${moment.sight}`);
    if (await seeSent(scene.line, sight.statement, scene.isOver)) await sleep(moment.delayMs);
  }
  return !scene.isOver();
}

async function startServiceLater(
  { services }: Stage,
  { serviceStartsAfterMs }: Step,
): Promise<Excuse | undefined> {
  if (serviceStartsAfterMs === undefined) return undefined;
  await sleep(serviceStartsAfterMs);
  return services.ask({ ask: 'start' }, patienceMs);
}

/** What of the ends must not be. */
function findOdd(
  ends: readonly JobEnd[],
  command: Command,
  { fault, byDeadlock }: { readonly fault: Fault | undefined; readonly byDeadlock: boolean },
): string | undefined {
  const leave = {
    bySignal: fault?.killsClient === true,
    byFailure: fault?.mayFail(command) === true,
    byDeadlock,
    onlyRefused: fault?.onlyRefuses === true,
  };
  const odd = ends.flatMap((end) => findOddEnd(end, command, leave) ?? []);
  return odd.length === 0 ? undefined : [...new Set(odd)].slice(0, 3).join('\n');
}
