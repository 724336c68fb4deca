import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The command line as it is published; `test/support/servers.ts` builds it before the run. */
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a process has said. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<CliResult>;
}

/** Starts `multi-pair-db` as an operator would. No DATABASE_URL but the one given gets in. */
export function startCli(args: readonly string[], env: Record<string, string> = {}, cwd = root): CliProcess {
  const { DATABASE_URL: _, ...rest } = process.env;
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...rest, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, ended };
}

export const runCli = (
  args: readonly string[],
  env?: Record<string, string>,
  cwd?: string,
): Promise<CliResult> => startCli(args, env, cwd).ended;
