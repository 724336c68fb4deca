import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const project = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

// A folder of a service that has installed drizzle-orm and this package, and nothing else.
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-install-'));
  const staged = path.join(folder, 'staged');
  const installed = path.join(folder, 'node_modules', 'multi-pair-db');
  await mkdir(staged);
  await mkdir(installed, { recursive: true });
  const tsc = path.join(project, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', path.join(staged, 'dist')], {
    cwd: project,
  });
  await cp(path.join(project, 'package.json'), path.join(staged, 'package.json'));
  await run('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: staged });
  const packed = (await readdir(staged)).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('npm pack has left no package');
  await run('tar', ['-xzf', path.join(staged, packed), '-C', installed, '--strip-components=1']);
  await cp(path.join(project, 'node_modules/drizzle-orm'), path.join(folder, 'node_modules/drizzle-orm'), {
    recursive: true,
    filter: (source) => !/\.(d\.c?ts|map|cjs)$/.test(source),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function evaluate(code: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
  return stdout.trim();
}

test('queries and schema work with drizzle-orm alone', async () => {
  const names = await evaluate(`
    const queries = await import('multi-pair-db/queries');
    const { sessions } = await import('multi-pair-db/schema');
    console.log(typeof queries.listSessionsByPair, typeof queries.claimSessionsToSettle, sessions.id.name);`);
  expect(names).toBe('function function id');
});

test('nothing but these two packages is loaded', async () => {
  const loaded = await evaluate(`
    import { register } from 'node:module';
    const { port1, port2 } = new MessageChannel();
    const urls = [];
    port1.on('message', (url) => urls.push(url)).unref();
    register('data:text/javascript,' + encodeURIComponent(
      'let port; export function initialize(data) { port = data.port; }' +
      'export async function load(url, context, next) { port.postMessage(url); return next(url, context); }'
    ), { parentURL: import.meta.url, data: { port: port2 }, transferList: [port2] });
    await import('multi-pair-db/queries');
    await new Promise((resolve) => setImmediate(resolve));
    const packages = urls.map((url) => /node_modules\\/([^/]+)/.exec(url)?.[1] ?? url);
    console.log([...new Set(packages)].sort().join(' '));
    process.exit();`);
  expect(loaded).toBe('drizzle-orm multi-pair-db');
});
