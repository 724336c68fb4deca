import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consumer, createConsumer, packPackage } from '../support/consumer.ts';

// One service, whose packages are taken away from it bit by bit: to copy Drizzle takes longer than all that is asked here.
let packed: string;
let service: Consumer;
beforeAll(async () => {
  packed = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-packed-'));
  const packages = ['postgres', 'zod', '@electric-sql/pglite', 'libpg-query'];
  const tarball = await packPackage(packed);
  service = await createConsumer({ tarball, drizzleFrom: '.', packages, isRun: true });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await rm(packed, { recursive: true, force: true });
});

/** Runs an ES module in a service: what it prints. `load` takes an entry point by either way. */
async function run(code: string): Promise<string> {
  const ended = await service.node(['--input-type=module', '-e', `${prelude}${code}`]);
  return ended.output.trim();
}
const prelude = `
  import { createRequire } from 'node:module';
  const require = createRequire(process.cwd() + '/');
  const ways = {
    import: (entry) => import('multi-pair-db/' + entry),
    require: async (entry) => require('multi-pair-db/' + entry),
  };
`;

describe('a service that has all peers', () => {
  test('every entry point gives the same names to import and to require', async () => {
    const entries = ['schema', 'relations', 'migrate', 'migrations', 'queries', 'zod', 'testing'];
    const output = await run(
      `const names = {};
       for (const entry of ${JSON.stringify(entries)}) {
         const [esm, cjs] = [await ways.import(entry), await ways.require(entry)];
         names[entry] = [esm, cjs].map((module) => Object.keys(module).filter((name) => name !== 'default').sort().join());
       }
       console.log(JSON.stringify(names));`,
    );
    const names: Record<string, [string, string]> = JSON.parse(output);
    for (const entry of entries) {
      expect(names[entry]?.[0], entry).toMatch(/\w/);
      expect(names[entry]?.[1], entry).toBe(names[entry]?.[0]);
    }
  });

  test('CommonJS loads the CommonJS of Drizzle alone, and the tables of its queries are those of its schema', async () => {
    const output = await run(
      `const { sessions } = require('multi-pair-db/schema');
       const { listSessions } = require('multi-pair-db/queries');
       const { insertSessionSchema } = require('multi-pair-db/zod');
       const { PgTable } = require('drizzle-orm/pg-core');
       const loaded = Object.keys(require.cache).filter((file) => /drizzle-orm|multi-pair-db/.test(file));
       console.log(sessions instanceof PgTable, typeof listSessions, insertSessionSchema.parse({ id: 's' }).id,
         loaded.filter((file) => file.endsWith('schema/sessions.js')).length, loaded.some((file) => /drizzle-orm.*\\.js$/.test(file)));`,
    );
    expect(output).toBe('true function s 1 false');
  });

  test('a bundler makes CommonJS of it, which has no await at the top', async () => {
    const contents =
      "import { insertSessionSchema } from 'multi-pair-db/zod'; console.log(insertSessionSchema);";
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: service.folder },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
    });
    expect(outputFiles[0]?.text).toContain('insertSessionSchema');
  });

  test('the migrations are found from both', async () => {
    const output = await run(
      `for (const way of ['import', 'require']) {
         const { migrationsFolder, migrationsFolderV1 } = await ways[way]('migrations');
         console.log(migrationsFolder, migrationsFolderV1);
       }`,
    );
    const [one, other] = output.split('\n');
    expect(one).toMatch(/multi-pair-db\/drizzle \S+multi-pair-db\/drizzle-v1$/);
    expect(other).toBe(one);
  });
});

describe('a service that has drizzle-orm alone', () => {
  beforeAll(async () => {
    for (const name of ['postgres', 'zod', '@electric-sql'])
      await rm(path.join(service.folder, 'node_modules', name), { recursive: true });
  });

  test.each([
    ['zod', 'multi-pair-db/zod', `(await load('zod')).insertSessionSchema`],
    ['@electric-sql/pglite', 'multi-pair-db/testing', `await (await load('testing')).createTestDatabase()`],
    [
      '@electric-sql/pglite',
      'pglite:DIR',
      `await (await load('migrate')).openConnection('pglite:d', { create: true })`,
    ],
    [
      'postgres',
      'postgres://…',
      `await (await load('migrate')).openConnection('postgres://localhost/trading')`,
    ],
  ])('is told to install %s for %s', async (peer, _, code) => {
    const output = await run(
      `for (const load of Object.values(ways)) {
         try { ${code}; console.log('no error'); } catch (error) { console.log(error.advice ?? error.message); }
       }`,
    );
    const lines = output.split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toContain(`npm install ${peer}`);
  });

  test('is told so by the command line, too', async () => {
    const main = 'node_modules/multi-pair-db/dist/cli/main.js';
    const ended = await service.node([main, 'status', '--url', 'postgres://localhost/trading']);
    expect(ended.code).toBe(2);
    expect(ended.output).toContain('npm install postgres');
  });
});

describe('a service on Drizzle 1.0', () => {
  test('has its relations, tables and queries by import and by require', async () => {
    const drizzle = path.join(service.folder, 'node_modules/drizzle-orm');
    await rm(drizzle, { recursive: true });
    await symlink(fileURLToPath(new URL('../drizzle-1/node_modules/drizzle-orm', import.meta.url)), drizzle);
    const output = await run(
      `for (const way of ['import', 'require']) {
         const { relations } = await ways[way]('relations-v2');
         const { listFills } = await ways[way]('queries');
         console.log(Object.keys(relations).join(), typeof listFills);
       }`,
    );
    expect(output.split('\n')).toEqual(['sessions,orders,fills function', 'sessions,orders,fills function']);
  });
});
