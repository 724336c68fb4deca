import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broken } from '../broken.ts';

/** How a command has ended. */
export interface JobEnd {
  /** Undefined: a signal has ended it. */
  readonly exitCode: number | undefined;
  readonly output: string;
  readonly ranMs: number;
}

/** A command that runs. */
export interface Job {
  /** Its process; of several that follow one another, the one of the moment. */
  readonly child: ChildProcess;
  readonly ended: Promise<JobEnd>;
  isOver(): boolean;
  /** What it has said so far. */
  said(): string;
}

/** What is started: a program, its arguments, and what it finds in its environment. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Is started when this one has ended with 0. */
  readonly next?: CommandLine | undefined;
}

/** Starts it, without the database of whoever runs the torture. */
export function startJob(line: CommandLine): Job {
  const startedAt = performance.now();
  let output = '';
  let isOver = false;
  let child = start(line, (text) => {
    output += text;
  });
  const ended = (async (): Promise<JobEnd> => {
    let exitCode = await exitOf(child);
    for (let { next } = line; next !== undefined && exitCode === 0; next = next.next) {
      child = start(next, (text) => {
        output += text;
      });
      exitCode = await exitOf(child);
    }
    isOver = true;
    return { exitCode, output, ranMs: performance.now() - startedAt };
  })();
  return {
    get child() {
      return child;
    },
    ended,
    isOver: () => isOver,
    said: () => output,
  };
}

/** A command that has not ended so long after nothing is in its way hangs. One of a crowd waits a minute for its turn. */
export const patienceMs = 120_000;

/** How it has ended. One that hangs is killed, and that is found; `seen`: what was seen at that time. */
export async function endOf(
  job: Job,
  name: string,
  seen: () => readonly string[] = () => [],
): Promise<JobEnd> {
  const end = await Promise.race([job.ended, sleep(patienceMs, undefined, { ref: false })]);
  if (end !== undefined) return end;
  const looks = seen();
  job.child.kill('SIGKILL');
  throw new Broken(
    [
      `${name} has not ended after ${patienceMs / 1_000} s with nothing in its way`,
      ...looks.map((look) => `  ${look}`),
      job.said().trim().split('\n').slice(-8).join('\n'),
    ].join('\n'),
  );
}

function start({ program, args, env = {}, cwd }: CommandLine, onText: (text: string) => void): ChildProcess {
  const { DATABASE_URL: _, ...rest } = process.env;
  const child = spawn(program, args, { cwd, env: { ...rest, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onText);
  return child;
}

/** Not `close`: a program that it has started may live on and keep the pipe open. What is in the pipe gets a moment. */
const exitOf = (child: ChildProcess): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => setTimeout(() => resolve(exitCode ?? undefined), 20));
  });
