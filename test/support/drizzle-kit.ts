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

/** 0.31, on which this repository is developed, and 1.0, which stands in `test/drizzle-1`. */
export type KitVersion = '0.31' | '1.0';

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

/** Installs drizzle-kit, the drizzle-orm of its version, and one driver. */
export async function installKit(
  root: string,
  version: KitVersion,
  driver: keyof typeof drivers,
): Promise<void> {
  const modules = path.join(project, 'node_modules');
  const modulesV1 = path.join(project, 'test', 'drizzle-1', 'node_modules');
  // 1.0 brings what it needs in its own file.
  const own =
    version === '1.0'
      ? ['drizzle-kit', 'drizzle-orm'].map((name) => ({ name, from: modulesV1 }))
      : kit.map((name) => ({ name, from: modules }));
  await mkdir(path.join(root, 'node_modules'), { recursive: true });
  await Promise.all(
    [...own, ...drivers[driver].map((name) => ({ name, from: modules }))].map(({ name, from }) =>
      cp(path.join(from, name), path.join(root, 'node_modules', name), { recursive: true }),
    ),
  );
}

export async function createKitProject(driver: keyof typeof drivers): Promise<KitProject> {
  const root = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-kit-'));
  await installKit(root, '0.31', driver);
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

/** drizzle-kit as it is installed in a folder, as a process of its own. */
export async function runKit(
  cwd: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Ended> {
  const bin = path.join(cwd, 'node_modules', 'drizzle-kit', 'bin.cjs');
  return run(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}
