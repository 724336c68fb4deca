import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { OperationError } from '../../connection/errors.ts';
import { explainProgram } from './program-errors.ts';

const run = promisify(execFile);

/** `pg_dump` and `pg_restore` of one installation. */
export interface ClientPrograms {
  readonly folder: string;
  readonly pgDump: string;
  readonly pgRestore: string;
  /** Comes with the other two wherever they come from. */
  readonly psql: string;
  readonly major: number;
  /** `pg_dump (PostgreSQL) 18.0` */
  readonly version: string;
}

/** Where packages put client programs beside the PATH; a `*` stands for a version. */
const usualFolders = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/*/bin',
  '/usr/local/opt/*/bin',
];
const suffix = process.platform === 'win32' ? '.exe' : '';

/**
 * Finds the client programs for a server: of its own major version, else of the next higher one that is installed. An
 * older pg_dump refuses a newer server. `PG_BIN` names the one folder to look in; else the PATH and the usual folders.
 *
 * @throws OperationError `PROGRAM_MISSING` with what is needed, what was found, and how to get it
 */
export async function findClientPrograms(major: number): Promise<ClientPrograms> {
  const installed = await listClientPrograms();
  const [best] = installed.filter((programs) => programs.major >= major).sort((a, b) => a.major - b.major);
  if (best !== undefined) return best;
  const found = installed.map(({ version, folder }) => `${version} in ${folder}`).join('; ');
  throw new OperationError({
    code: 'PROGRAM_MISSING',
    message: `pg_dump and pg_restore ${major} or later are needed; found: ${found || 'none'}`,
    advice: `Install PostgreSQL’s client programs (Debian, Ubuntu: postgresql-client-${major} of apt.postgresql.org; macOS: brew install libpq), or set PG_BIN to the folder that holds them. On a managed service you may take a snapshot with its own tools instead: write down its time.`,
  });
}

async function listClientPrograms(): Promise<ClientPrograms[]> {
  const only = process.env['PG_BIN'];
  const folders =
    only !== undefined && only !== ''
      ? [only]
      : [...(process.env['PATH'] ?? '').split(path.delimiter), ...(await listUsualFolders())];
  const found = await Promise.all([...new Set(folders)].filter((folder) => folder !== '').map(readPrograms));
  return found.filter((programs) => programs !== undefined);
}

async function listUsualFolders(): Promise<string[]> {
  const expanded = await Promise.all(
    usualFolders.map(async (pattern) => {
      const [before = '', after = ''] = pattern.split('*');
      const names = await readdir(path.dirname(`${before}x`)).catch(() => []);
      const prefix = path.basename(`${before}x`).slice(0, -1);
      return names
        .filter((name) => name.startsWith(prefix))
        .map((name) => path.join(path.dirname(`${before}x`), name, after));
    }),
  );
  return expanded.flat();
}

async function readPrograms(folder: string): Promise<ClientPrograms | undefined> {
  const pgDump = path.join(folder, `pg_dump${suffix}`);
  const pgRestore = path.join(folder, `pg_restore${suffix}`);
  try {
    await Promise.all([access(pgDump, constants.X_OK), access(pgRestore, constants.X_OK)]);
    const { stdout } = await run(pgDump, ['--version']);
    const version = stdout.trim();
    const major = Number(/\s(\d+)/.exec(version)?.[1]);
    const psql = path.join(folder, `psql${suffix}`);
    return Number.isInteger(major) ? { folder, pgDump, pgRestore, psql, major, version } : undefined;
  } catch {
    // Not there, or not able to run here: it is no candidate, and the error names the candidates.
    return undefined;
  }
}

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
  /** In a process group of its own: the terminal's Ctrl-C does not reach it. */
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
  const { program, args, environment, signal } = options;
  const child = spawn(program, args, {
    env: environment,
    stdio: [stdin, 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGTERM',
    detached: options.detached ?? false,
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptCharacters);
  });
  const { onErrorLine } = options;
  if (onErrorLine !== undefined && child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', onErrorLine);
  }
  // Aborted, it reports an error at once; only when it has closed its files may they be removed.
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
