import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consumer, createConsumer, packPackage } from '../support/consumer.ts';
import { createDatabase } from '../support/database.ts';
import { runKit } from '../support/drizzle-kit.ts';
import { equipService, serviceCommands } from '../support/service-project.ts';

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const sourceOf = (file: string) => readFile(new URL(`consumer/${file}`, import.meta.url), 'utf8');

let packed: string;
beforeAll(async () => {
  packed = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-packed-'));
});
afterAll(() => rm(packed, { recursive: true, force: true }));

/** As strict as TypeScript is, and nobody's declarations are left unchecked. */
const compilerOptions = {
  target: 'es2023',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
};

describe.each([
  { drizzle: '0.45', kit: '0.31', drizzleFrom: '.', main: 'on-0' },
  { drizzle: '1.0', kit: '1.0', drizzleFrom: 'test/drizzle-1', main: 'on-1' },
] as const)('a service on Drizzle $drizzle', ({ kit, drizzleFrom, main }) => {
  let service: Consumer;
  let faults: string[];
  beforeAll(async () => {
    service = await createConsumer({
      tarball: await packPackage(packed),
      drizzleFrom,
      packages: ['postgres', 'zod', '@types/node'],
    });
    await equipService(service.folder, kit);
    for (const file of ['rows.ts', `${main}.ts`, 'common.cts'])
      await service.write(file, await sourceOf(file));
    faults = await compile({ module: 'nodenext', outDir: 'out' });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const compile = async (options: Record<string, unknown>, files: readonly string[] = [`${main}.ts`]) => {
    const config = { compilerOptions: { ...compilerOptions, ...options }, files };
    await service.write('tsconfig.json', JSON.stringify(config));
    const { output } = await service.node([tsc, '-p', '.']);
    // Drizzle's own declarations speak of drivers that a service has not installed.
    return output.split('\n').filter((line) => line !== '' && !/^(node_modules\/drizzle-orm\/| )/.test(line));
  };

  test('compiles with module nodenext and with a bundler', async () => {
    expect(faults).toEqual([]);
    expect(await compile({ module: 'esnext', moduleResolution: 'bundler', noEmit: true })).toEqual([]);
  });

  test('compiles as CommonJS, whose Drizzle has types of its own', async () => {
    // Its imports become require.
    const options = { module: 'nodenext', outDir: 'out', verbatimModuleSyntax: false };
    expect(await compile(options, ['common.cts'])).toEqual([]);
  });

  test('migrates a live database, generates its own table alone and then nothing, inserts and lists', async () => {
    await using database = await createDatabase(18, 'legacy');
    const drizzleKit = (args: readonly string[]) =>
      runKit(service.folder, args, { DATABASE_URL: database.url });
    for (const command of serviceCommands) expect(await drizzleKit(command)).toMatchObject({ code: 0 });
    expect((await drizzleKit(['generate'])).output).toContain('No schema changes, nothing to migrate');
    for (const program of [`out/${main}.js`, 'out/common.cjs']) {
      const ended = await service.node([program], { DATABASE_URL: database.url });
      expect(ended, program).toEqual({ code: 0, output: 'written and read\n' });
    }
  });
});
