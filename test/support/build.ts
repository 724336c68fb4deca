import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const key = Symbol.for('multi-pair-db: built for this run');

/**
 * Builds what tests run as it is published: once a run, though each project of vitest has its own setup and its own copy of
 * this module; and not where TEST_BUILT says that it was built just before.
 */
export function buildOnce(): Promise<unknown> {
  if (process.env['TEST_BUILT']) return Promise.resolve();
  const running: unknown = Reflect.get(globalThis, key);
  if (running instanceof Promise) return running;
  const build = promisify(execFile)('npm', ['run', '-s', 'build'], { cwd: root });
  Reflect.set(globalThis, key, build);
  return build;
}

/** For tests that need nothing but the package. */
export default async function setup(): Promise<void> {
  await buildOnce();
}
