/**
 * The packed file as package managers install it, and on the versions of Node that it is for. Both come from the registry;
 * without one the tests say so.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packPackage } from '../support/consumer.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

let home: string;
let tarball: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-install-'));
  tarball = await packPackage(home);
});
afterAll(() => rm(home, { recursive: true, force: true }));

const hasRegistry = await run('npm', ['view', 'drizzle-orm', 'version'], { timeout: 20_000 }).then(
  () => true,
  () => false,
);

/** As this repository has them: what is tried here is our package and not theirs. */
const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
  await readFile(path.join(root, 'package.json'), 'utf8'),
);
const peers = ['drizzle-orm', 'postgres', 'zod', '@electric-sql/pglite'];

/** A service with the package and its peers in package.json, and nothing installed. */
async function createService(): Promise<string> {
  const folder = await mkdtemp(path.join(home, 'service-'));
  const dependencies = {
    'multi-pair-db': `file:${tarball}`,
    ...Object.fromEntries(peers.map((name) => [name, devDependencies[name]])),
  };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(path.join(folder, 'use.mjs'), `import * as way from './way.mjs';\n${use}`);
  await writeFile(path.join(folder, 'way.mjs'), esm);
  await writeFile(
    path.join(folder, 'use.cjs'),
    `const way = require('./way.cjs');\n(async () => {\n${use}})();\n`,
  );
  await writeFile(path.join(folder, 'way.cjs'), cjs);
  return folder;
}

const names = ['schema', 'relations', 'queries', 'zod', 'migrate', 'migrations', 'testing'];
const esm = names.map((name) => `export * as ${name} from 'multi-pair-db/${name}';`).join('\n');
const cjs = names.map((name) => `exports.${name} = require('multi-pair-db/${name}');`).join('\n');

/** Migrates a database in memory, writes a session with a fill and reads them. */
const use = `
const { db, client, close } = await way.testing.createTestDatabase({ cacheFolder: 'cache-' + process.version });
const connection = await way.migrate.connectEmbedded(client);
const { verified } = await way.migrate.verifyDatabase(connection);
const given = { id: 's', pairs: ['BTC/USD', 'ETH/USD'], startedAt: 1, settleSession: true };
await way.queries.insertSession(db, way.zod.insertSessionSchema.parse(given));
await way.queries.insertFills(db, [way.testing.buildFill({ sessionId: 's' })]);
const [session] = await db.select().from(way.schema.sessions);
const fills = await way.queries.listFills(db, { sessionId: 's' });
console.log(JSON.stringify({ verified, pairCount: session.pairCount, fills: fills.length, relations: Object.keys(way.relations).length, folder: way.migrations.migrationsFolder.endsWith('drizzle') }));
await close();
`;
const used = { verified: true, pairCount: 2, fills: 1, relations: 3, folder: true };

/** By import and by require, and the command line. */
async function tryService(folder: string, node: string): Promise<void> {
  for (const file of ['use.mjs', 'use.cjs']) {
    const { stdout } = await run(node, [file], { cwd: folder });
    expect(JSON.parse(stdout), file).toEqual(used);
  }
  const main = path.join(folder, 'node_modules/multi-pair-db/dist/cli/main.js');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  expect((await run(node, [main, '--version'], { cwd: folder })).stdout.trim()).toBe(version);
  const status = await run(node, [main, 'status', '--json', '--url', 'pglite:nowhere'], {
    cwd: folder,
  }).catch((error: { stdout: string; code: number }) => error);
  expect(JSON.parse(status.stdout)).toHaveProperty('error');
}

describe.skipIf(!hasRegistry)('with a registry', () => {
  test.each([
    { manager: 'npm', args: ['npm', 'install', '--no-audit', '--no-fund'] },
    { manager: 'pnpm', args: ['npx', '--yes', 'pnpm@10', 'install', '--ignore-workspace'] },
    { manager: 'yarn 1', args: ['npx', '--yes', 'yarn@1', 'install', '--no-lockfile'] },
    { manager: 'yarn 4', args: ['npx', '--yes', '-p', '@yarnpkg/cli-dist@4', 'yarn', 'install'] },
  ])('$manager installs it, builds nothing, and it works', async ({ args: [command = '', ...args] }) => {
    const folder = await createService();
    const { stdout, stderr } = await run(command, args, { cwd: folder, env: await yarnSettings() });
    expect(stdout + stderr).not.toMatch(/\bprepare\b|scripts\/build/);
    await tryService(folder, process.execPath);
  });

  test('it works on each Node that it is for, from the oldest on', async () => {
    const folder = await createService();
    await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder });
    for (const version of ['20.12.0', '22', '24']) {
      const node = await installNode(version);
      const { stdout } = await run(node, ['--version']);
      expect(stdout).toMatch(new RegExp(`^v${version.replaceAll('.', '\\.')}\\b`));
      await tryService(folder, node);
    }
  });
});

/** Yarn 4 knows nothing of npm's settings; with `node-modules` a service finds packages where all others put them. */
async function yarnSettings(): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run('npm', ['config', 'get', 'registry']);
  return {
    ...process.env,
    YARN_NPM_REGISTRY_SERVER: stdout.trim(),
    YARN_UNSAFE_HTTP_WHITELIST: '*',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
    YARN_NODE_LINKER: 'node-modules',
  };
}

/** A Node of its own, out of npm's package of that name: its program. */
async function installNode(version: string): Promise<string> {
  const folder = await mkdtemp(path.join(home, 'node-'));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], { cwd: folder });
  return path.join(folder, 'node_modules/node/bin/node');
}
