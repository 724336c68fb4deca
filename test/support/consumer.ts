import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A service's project: this package as it is published, a Drizzle, and what else it uses, in a node_modules of its own. */
export interface Consumer extends AsyncDisposable {
  readonly folder: string;
  write(file: string, text: string): Promise<void>;
  /** A program of the project, by the file of its package: what it prints, its errors included, and how it ended. */
  node(args: readonly string[], env?: Record<string, string>): Promise<{ code: number; output: string }>;
}

/** Packs what is built. */
export async function packPackage(folder: string): Promise<string> {
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('npm pack has left no package');
  return path.join(folder, packed);
}

/** Makes the project out of what is installed here, with no network; use it with `await using`. */
export async function createConsumer(options: {
  readonly tarball: string;
  /** The folder whose node_modules has its Drizzle. */
  readonly drizzleFrom: string;
  readonly packages: readonly string[];
  /** It is run and not compiled: Drizzle's 4,000 declarations are left out. */
  readonly isRun?: boolean;
}): Promise<Consumer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-consumer-'));
  const modules = path.join(folder, 'node_modules');
  const installed = path.join(modules, 'multi-pair-db');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', options.tarball, '-C', installed, '--strip-components=1']);
  await cp(
    path.join(root, options.drizzleFrom, 'node_modules/drizzle-orm'),
    path.join(modules, 'drizzle-orm'),
    { recursive: true, filter: (from) => !(options.isRun === true && /\.(d\.c?ts|map)$/.test(from)) },
  );
  for (const name of await withDependencies(['commander', ...options.packages])) {
    await cp(path.join(root, 'node_modules', name), path.join(modules, name), {
      recursive: true,
      dereference: true,
    });
  }
  const write = (file: string, text: string): Promise<void> => writeFile(path.join(folder, file), text);
  return {
    folder,
    write,
    node: (args, env = {}) =>
      run(process.execPath, [...args], { cwd: folder, env: { ...process.env, ...env } }).then(
        ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
        (error: { code: number; stdout: string; stderr: string }) => ({
          code: error.code,
          output: error.stdout + error.stderr,
        }),
      ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The packages, and all that they depend on. */
async function withDependencies(names: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const queue = [...names]; queue.length > 0; ) {
    const name = queue.pop() ?? '';
    if (found.has(name)) continue;
    found.add(name);
    const text = await readFile(path.join(root, 'node_modules', name, 'package.json'), 'utf8');
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(text);
    queue.push(...Object.keys(dependencies));
  }
  return found;
}
