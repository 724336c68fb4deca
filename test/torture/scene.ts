import { constants, setPriority } from 'node:os';
import { createRandom } from '../../demo/random.ts';
import type { TestLine } from '../support/endpoints.ts';
import type { Excuse } from './checks/waits.ts';
import type { Scene } from './faults/fault.ts';
import type { Step } from './schedule.ts';
import { nowMs } from './services/clock.ts';
import type { Stage } from './stage.ts';
import type { Command } from './work/command.ts';
import { type Job, startJob } from './work/process.ts';

/** A scene, and what happens in it. All that still runs ends with it. */
export interface OpenScene extends Disposable {
  readonly scene: Scene;
  /** The command, and others of the same. */
  readonly jobs: readonly Job[];
  readonly excuses: Excuse[];
  start(): void;
}

export function openScene(stage: Stage, step: Step, command: Command, line: TestLine): OpenScene {
  const url = `postgres://postgres@127.0.0.1:${line.port}/${stage.database}`;
  const commandLine = command.line(stage.tried, stage.orderFor(url));
  const jobs: Job[] = [];
  const excuses: Excuse[] = [];
  const start = (): void => void jobs.push(startJob(commandLine));
  const scene: Scene = {
    ground: stage.ground,
    database: stage.database,
    line,
    get job() {
      return jobs[0];
    },
    endsOthers: command.needs === 'backup',
    isOver: () => jobs[0]?.isOver() === true,
    startCrowd: () => {
      for (let others = command.crowd - 1; others > 0; others--) start();
      for (const { child } of jobs.slice(1)) stepBehind(child.pid);
    },
    tell: (word) => stage.tell(word),
    random: createRandom(step.seed),
    excuse: () => {
      const excuse = { fromMs: nowMs(), toMs: Number.POSITIVE_INFINITY };
      excuses.push(excuse);
      return () => {
        excuse.toMs = nowMs();
      };
    },
  };
  return {
    scene,
    jobs,
    excuses,
    start,
    [Symbol.dispose]: () => {
      for (const job of jobs) if (!job.isOver()) job.child.kill('SIGKILL');
    },
  };
}

/** To start twenty programs takes two cores for seconds, which services would wait for as well: they go first. */
function stepBehind(pid: number | undefined): void {
  if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
}
