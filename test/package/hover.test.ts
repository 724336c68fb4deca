import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { getTableColumns } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readColumnDocs, tables } from '../../scripts/column-docs.ts';
import { sessions } from '../../src/schema/index.ts';
import { type LanguageServer, startLanguageServer } from '../support/language-server.ts';
import { ended } from '../support/project-copy.ts';

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the lists of sessions leave out: see `SessionSummary`. */
const documents = Object.entries(getTableColumns(sessions))
  .filter(([key, column]) => key !== 'pairs' && column.getSQLType() === 'jsonb')
  .map(([key]) => key);

/** A service that names each property of something: what is asked for stands right before a `?` in a comment. */
const programOf = (declared: string, name: string, keys: readonly string[]): string =>
  [declared, ...keys.map((key) => `void ${name}.${key}/*?*/;`)].join('\n');

describe.each([
  { drizzle: '0.45', from: 'node_modules/drizzle-orm' },
  { drizzle: '1.0', from: 'test/drizzle-1/node_modules/drizzle-orm' },
])('in an editor, on Drizzle $drizzle', ({ from }) => {
  let folder: string;
  let server: LanguageServer;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-editor-'));
    const installed = path.join(folder, 'node_modules/multi-pair-db');
    await mkdir(installed, { recursive: true });
    await cp(path.join(root, 'dist'), path.join(installed, 'dist'), { recursive: true });
    await cp(path.join(root, 'package.json'), path.join(installed, 'package.json'));
    await symlink(path.join(root, from), path.join(folder, 'node_modules/drizzle-orm'));
    const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, types: [] };
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
    server = await startLanguageServer(folder);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const hover = async (text: string): Promise<string[]> => {
    const file = path.join(folder, `service-${++count}.ts`);
    await writeFile(file, text);
    return server.hover(file);
  };
  let count = 0;

  // Not all of Drizzle's declarations, which the soak test compiles, too: ours must be TypeScript.
  test('the declarations compile', async () => {
    await writeFile(
      path.join(folder, 'all.ts'),
      `export type Names = keyof typeof import('multi-pair-db/schema') | keyof typeof import('multi-pair-db/queries');
       export const name: Names = 'correctFill';
       // @ts-expect-error there is none
       export const none: Names = 'nothing';`,
    );
    const compilerOptions = { module: 'nodenext', strict: true, types: [], noEmit: true, skipLibCheck: true };
    await writeFile(
      path.join(folder, 'tsconfig.all.json'),
      JSON.stringify({ compilerOptions, files: ['all.ts'] }),
    );
    const compiled = await ended(process.execPath, [tsc, '-p', 'tsconfig.all.json'], folder, {});
    expect(compiled).toEqual({ code: 0, output: '' });
  });

  test.each(Object.entries(tables))('every column of %s says what it is', async (name, table) => {
    const docs = await readColumnDocs(name);
    const declared = `import { ${name} } from 'multi-pair-db/schema';`;
    const shown = await hover(programOf(declared, name, Object.keys(getTableColumns(table))));
    expect(shown).toHaveLength(docs.length);
    for (const [i, { key, text }] of docs.entries()) {
      expect(text, key).not.toBe('');
      expect(shown[i], key).toContain(text);
    }
  });

  test.each([
    ['schema', 'sessions', 'Session', []],
    ['schema', 'sessions', 'NewSession', []],
    ['queries', 'sessions', 'SessionInput', ['pairCount']],
    ['queries', 'sessions', 'SessionSummary', documents],
    ['schema', 'orders', 'Order', []],
    ['schema', 'orders', 'NewOrder', []],
    ['queries', 'orders', 'OrderInput', ['pairIndex']],
    ['schema', 'fills', 'Fill', []],
    ['schema', 'fills', 'NewFill', []],
    ['queries', 'fills', 'FillInput', []],
    ['queries', 'fills', 'FillCorrection', ['id']],
  ])('so does every property of %s: %s: %s', async (entry, table, type, left) => {
    const docs = (await readColumnDocs(table)).filter(({ key }) => !left.includes(key));
    const declared = `import type { ${type} } from 'multi-pair-db/${entry}';\ndeclare const row: ${type};`;
    const keys = docs.map(({ key }) => key);
    const shown = await hover(programOf(declared, 'row', keys));
    expect(shown).toHaveLength(docs.length);
    for (const [i, { key, text }] of docs.entries()) expect(shown[i], key).toContain(text);
  });
});
