import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const project = fileURLToPath(new URL('../..', import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** A project with drizzle-kit, our configuration and migrations, and no driver but the one named. */
export interface KitProject extends AsyncDisposable {
  /** Stock `drizzle-kit migrate`, as a process of its own. */
  migrate(url: string): Promise<Ended>;
}

/** drizzle-kit and what it needs; it takes the first driver that it can import, so each project has one only. */
const kit = [
  '@drizzle-team',
  '@esbuild',
  '@esbuild-kit',
  'drizzle-kit',
  'drizzle-orm',
  'esbuild',
  'get-tsconfig',
  'resolve-pkg-maps',
  'tsx',
];
const drivers = {
  postgres: ['postgres'],
  pg: [
    'pg',
    'pg-connection-string',
    'pg-int8',
    'pg-pool',
    'pg-protocol',
    'pg-types',
    'pgpass',
    'postgres-array',
    'postgres-bytea',
    'postgres-date',
    'postgres-interval',
    'split2',
    'xtend',
  ],
} as const;

export async function createKitProject(driver: keyof typeof drivers): Promise<KitProject> {
  const root = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-kit-'));
  await mkdir(path.join(root, 'node_modules'));
  await Promise.all(
    [...kit, ...drivers[driver]].map((name) =>
      cp(path.join(project, 'node_modules', name), path.join(root, 'node_modules', name), {
        recursive: true,
      }),
    ),
  );
  await cp(path.join(project, 'drizzle'), path.join(root, 'drizzle'), { recursive: true });
  await cp(path.join(project, 'drizzle.config.ts'), path.join(root, 'drizzle.config.ts'));
  return {
    migrate: (url) => runKit(root, ['migrate'], { DATABASE_URL: url }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** drizzle-kit in the project itself. */
export const runProjectKit = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  runKit(project, args, env);

async function runKit(cwd: string, args: string[], env: Record<string, string>): Promise<Ended> {
  const bin = path.join(cwd, 'node_modules', 'drizzle-kit', 'bin.cjs');
  return run(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}
