import { type ChildProcess, spawn } from 'node:child_process';

/** How a command has ended. */
export interface JobEnd {
  /** Undefined: a signal has ended it. */
  readonly exitCode: number | undefined;
  readonly output: string;
  readonly ranMs: number;
}

/** A command that runs. */
export interface Job {
  readonly child: ChildProcess;
  readonly ended: Promise<JobEnd>;
  isOver(): boolean;
}

/** What is started: a program, its arguments, and what it finds in its environment. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Starts it, without the database of whoever runs the torture. */
export function startJob({ program, args, env = {}, cwd }: CommandLine): Job {
  const { DATABASE_URL: _, ...rest } = process.env;
  const child = spawn(program, args, { cwd, env: { ...rest, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const startedAt = performance.now();
  let isOver = false;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = new Promise<JobEnd>((resolve, reject) => {
    child.once('error', reject);
    // Not `close`: a program that it has started may live on and keep the pipe open.
    child.once('exit', (exitCode) => {
      isOver = true;
      const ranMs = performance.now() - startedAt;
      setTimeout(() => resolve({ exitCode: exitCode ?? undefined, output, ranMs }), 20);
    });
  });
  return { child, ended, isOver: () => isOver };
}
