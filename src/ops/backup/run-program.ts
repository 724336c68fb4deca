import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { programGraceMs } from '../../connection/interrupt.ts';
import { explainProgram } from './program-errors.ts';

/** How a program is to be run. */
export interface ProgramRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** Takes passwords out of what the program says. */
  readonly redact: (text: string) => string;
  /** Where it writes, for the error when there is no room. */
  readonly writesTo?: string;
  /** In a process group of its own, and outlives this process: neither the terminal's Ctrl-C nor our end reaches it. */
  readonly detached?: boolean;
  /** Gets what it says on standard error, line by line: with --verbose, what it is doing. */
  readonly onErrorLine?: (line: string) => void;
}

/** Only the end of what a program says is kept: there the reason stands. */
const keptCharacters = 4_000;

/** Runs a client program to its end and returns what it printed. */
export async function runProgram(options: ProgramRun): Promise<string> {
  const child = startProgram(options, 'ignore');
  let stdout = '';
  child.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await child.ended;
  return stdout;
}

/** What --verbose adds, which is no reason. */
const doing = /^pg_\w+: (?:creating|processing|dropping|executing|connecting|finished|implied) .*\n?/gm;

/** A client program at work. */
export interface RunningProgram {
  readonly process: ChildProcess;
  /** @throws OperationError with what the program said */
  readonly ended: Promise<void>;
}

/** Starts a client program. Its standard output has to be read. */
export function startProgram(options: ProgramRun, stdin: 'ignore' | 'pipe'): RunningProgram {
  const { program, args, environment, signal, detached = false, onErrorLine } = options;
  const child = spawn(program, args, {
    env: environment,
    stdio: [stdin, 'pipe', 'pipe'],
    detached,
  });
  if (!detached) {
    endOnAbort(child, signal);
    keepAwake(child);
  }
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptCharacters);
  });
  if (onErrorLine !== undefined && child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', onErrorLine);
  }
  // Only when it has closed its files may they be removed.
  let fault: Error | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => {
      fault = error;
    });
    child.once('close', (exitCode, endedBy) => {
      if (exitCode === 0 && fault === undefined) return resolve();
      const reason =
        stderr.replace(doing, '').trim() ||
        fault?.message ||
        `it was ended by ${endedBy ?? `exit code ${exitCode}`}`;
      reject(explainProgram(options, options.redact(reason), endedBy));
    });
  });
  // Whoever awaits it gets the error; it may come before he does.
  ended.catch(() => {});
  return { process: child, ended };
}

/**
 * Told to stop, a program asks the server to cancel, and waits for the answer; of a server that does not answer it would
 * wait for ever. So it is killed after a moment, and with us, if we are ended first.
 */
function endOnAbort(child: ChildProcess, signal: AbortSignal | undefined): void {
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    timer = setTimeout(() => child.kill('SIGKILL'), programGraceMs);
  };
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  signal?.addEventListener('abort', end, { once: true });
  child.once('close', () => {
    clearTimeout(timer);
    process.off('exit', kill);
    signal?.removeEventListener('abort', end);
  });
  if (signal?.aborted === true) end();
}

/** Ctrl-Z stops it with us; we go on (`cli/main.ts`), and would wait for it, and its locks with us. */
function keepAwake(child: ChildProcess): void {
  const wake = (): void => {
    child.kill('SIGCONT');
  };
  process.on('SIGTSTP', wake);
  child.once('close', () => process.off('SIGTSTP', wake));
}
