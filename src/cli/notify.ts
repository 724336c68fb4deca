import { spawn } from 'node:child_process';

/** What the command that is notified finds in its environment. */
export interface Notification {
  readonly command: string;
  readonly target: string;
  readonly exitCode: number;
  /** In one line. */
  readonly message: string;
  /** The page of the report, where there is one. */
  readonly report: string | undefined;
}

/** Whoever is told must not hold what tells it: a command that hangs is ended. */
const patienceMs = 30_000;

/**
 * Runs a shell command of the operator, which tells somebody: it finds `MULTI_PAIR_DB_COMMAND`, `_TARGET`, `_EXIT_CODE`,
 * `_MESSAGE` and `_REPORT` in its environment. What it prints goes to standard error. That it fails is said, and changes
 * nothing of how the run has ended.
 */
export async function notify(
  shellCommand: string | undefined,
  { command, target, exitCode, message, report = '' }: Notification,
  say: (text: string) => void,
): Promise<void> {
  if (shellCommand === undefined) return;
  const fault = await new Promise<string | undefined>((resolve) => {
    const child = spawn(shellCommand, {
      shell: true,
      stdio: ['ignore', process.stderr.fd, process.stderr.fd],
      timeout: patienceMs,
      env: {
        ...process.env,
        MULTI_PAIR_DB_COMMAND: command,
        MULTI_PAIR_DB_TARGET: target,
        MULTI_PAIR_DB_EXIT_CODE: String(exitCode),
        MULTI_PAIR_DB_MESSAGE: message,
        MULTI_PAIR_DB_REPORT: report,
      },
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `it ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  if (fault !== undefined) say(`nobody may have been notified: ${fault}`);
}
