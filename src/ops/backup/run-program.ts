import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { OperationError } from '../../connection/errors.ts';
import { programGraceMs } from '../../connection/interrupt.ts';

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

/** A client program at work. */
export interface RunningProgram {
  readonly process: ChildProcess;
  /** @throws OperationError with what the program said */
  readonly ended: Promise<void>;
}

/** Starts a client program. Its standard output has to be read. */
export function startProgram(options: ProgramRun, stdin: 'ignore' | 'pipe'): RunningProgram {
  const { program, args, environment, signal } = options;
  const child = spawn(program, args, {
    env: environment,
    stdio: [stdin, 'pipe', 'pipe'],
  });
  endOnAbort(child, signal);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptCharacters);
  });
  // Only when it has closed its files may they be removed.
  let fault: Error | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => {
      fault = error;
    });
    child.once('close', (exitCode, endedBy) => {
      if (exitCode === 0 && fault === undefined) return resolve();
      const reason =
        stderr.trim() || fault?.message || `it was ended by ${endedBy ?? `exit code ${exitCode}`}`;
      reject(explain(options, options.redact(reason), endedBy));
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

/** What the messages of the client programs mean; the environment makes them English. */
const meanings = [
  {
    pattern: /no space left on device|file too large|disk quota exceeded/i,
    code: 'OUT_OF_SPACE',
    advice: 'Make room there, or choose another folder. Nothing was left behind.',
  },
  {
    pattern: /permission denied|must be owner|must be superuser|must be able to set role/i,
    code: 'PRIVILEGE_MISSING',
    advice: 'Connect as the owner of the tables, or have the owner grant what is missing.',
  },
  {
    pattern: /lock timeout|could not obtain lock/i,
    code: 'LOCKED',
    advice: 'Wait until the work that holds the lock has ended, then run the same command again.',
  },
  {
    pattern: /connection to server .* failed|could not connect|server closed the connection/i,
    code: 'UNREACHABLE',
    advice: 'Check that the server is up, then run the same command again.',
  },
] as const;

function explain(
  { program, signal, writesTo }: ProgramRun,
  said: string,
  endedBy: NodeJS.Signals | null,
): OperationError {
  const name = path.basename(program);
  if (signal?.aborted === true) {
    return new OperationError({
      code: 'INTERRUPTED',
      message: `${name} was interrupted`,
      advice:
        endedBy === 'SIGKILL'
          ? 'Its server did not answer, so it was killed. No file was left behind; what it did on the server is rolled back when the server notices. Run the same command again.'
          : 'Nothing was left behind. Run the same command again.',
    });
  }
  const meaning = endedBy === 'SIGXFSZ' ? meanings[0] : meanings.find(({ pattern }) => pattern.test(said));
  return new OperationError({
    code: meaning?.code ?? 'STATEMENT_FAILED',
    message: `${name} failed${meaning?.code === 'OUT_OF_SPACE' && writesTo !== undefined ? `: no room for ${writesTo}` : ''}`,
    advice: meaning?.advice ?? 'Repair the cause, then run the same command again.',
    serverMessage: said,
  });
}
