import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Who works where is in the reports, and is nobody's business who makes the captures. */
const names = `
import os from 'node:os';
import { syncBuiltinESMExports } from 'node:module';
os.hostname = () => 'bastion';
os.userInfo = () => ({ username: 'ops' });
syncBuiltinESMExports();`;

/** What the operator types when something stands on the screen. */
export interface Answer {
  readonly to: RegExp;
  readonly with: string;
}

export interface Recording {
  /** All that the terminal was told. */
  readonly bytes: string;
  readonly exitCode: number | null;
}

/**
 * Runs the built command line under a pseudo terminal of that width, as `script` of util-linux makes one.
 *
 * @param folder where it is run, and leaves its reports
 */
export function record(
  words: readonly string[],
  options: {
    readonly columns: number;
    readonly folder: string;
    readonly url: string;
    readonly answer?: Answer;
  },
): Promise<Recording> {
  const { columns, folder, url, answer } = options;
  const command = [process.execPath, main, ...words].map((word) => `'${word}'`).join(' ');
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  const child = spawn('script', ['-qec', `stty cols ${columns} rows 50; exec ${command}`, '/dev/null'], {
    cwd: folder,
    env: {
      ...env,
      TERM: 'xterm-256color',
      DATABASE_URL: url,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(names)}`,
    },
  });
  let bytes = '';
  let isAnswered = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    bytes += text;
    if (answer === undefined || isAnswered || !answer.to.test(bytes)) return;
    isAnswered = true;
    child.stdin.write(`${answer.with}\n`);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ bytes, exitCode }));
  });
}
