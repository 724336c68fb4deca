import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Ended } from './drizzle-kit.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const left = new Set(['.git', 'dist', 'backups', 'reports', '.env', '.pglite']);

/** `npm run generate` is six node processes, one after the other: 20 s alone, and 60 s beside two other files of a busy machine. */
export const drizzleKitTimeoutMs = 180_000;

/** This project as a stranger has it who is about to change the schema: all of it but what is built or installed. */
export interface ProjectCopy extends AsyncDisposable {
  readonly folder: string;
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  /** Replaces a text that is there exactly once. */
  replace(file: string, before: string, after: string): Promise<void>;
  /** Runs a TypeScript file of the copy. */
  run(file: string, args: readonly string[], env?: Record<string, string>): Promise<Ended>;
  /** A script of package.json. */
  npm(...args: readonly string[]): Promise<Ended>;
  /** A command as it stands in the docs. */
  shell(command: string): Promise<Ended>;
}

/** Copies the project; use it with `await using`. */
export async function copyProject(): Promise<ProjectCopy> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-project-'));
  await cp(root, folder, {
    recursive: true,
    filter: (from) =>
      path.basename(from) !== 'node_modules' && !left.has(path.relative(root, from).split(path.sep)[0] ?? ''),
  });
  for (const modules of ['node_modules', 'test/drizzle-1/node_modules'])
    await symlink(path.join(root, modules), path.join(folder, modules));
  const read = (file: string): Promise<string> => readFile(path.join(folder, file), 'utf8');
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  };
  return {
    folder,
    read,
    write,
    replace: async (file, before, after) => {
      const text = await read(file);
      if (text.split(before).length !== 2) throw new Error(`${file} has not exactly one ${before}`);
      await write(file, text.replace(before, after));
    },
    run: (file, args, env = {}) => ended(process.execPath, ['--import', 'tsx', file, ...args], folder, env),
    npm: (...args) => ended('npm', ['run', '-s', ...args], folder, {}),
    shell: (command) => ended('sh', ['-c', command], folder, {}),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Runs a command without the database of whoever runs the tests. */
export function ended(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<Ended> {
  const { DATABASE_URL: _, ...rest } = process.env;
  return run(command, args, { cwd, env: { ...rest, ...env }, maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}
