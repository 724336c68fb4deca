import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { apiPages } from '../../scripts/docs/entries.ts';
import { type Exported, readExported } from '../../scripts/docs/exported.ts';
import { openProject } from '../../scripts/typescript.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** By entry point, what is exported. */
const exported = new Map<string, Exported[]>();
beforeAll(() => {
  for (const config of new Set(apiPages.map((page) => page.config))) {
    using opened = openProject(path.join(root, config));
    for (const page of apiPages.filter((one) => one.config === config))
      exported.set(page.entry, readExported(opened.project, path.join(root, page.source)));
  }
});

test('every export stands on exactly one page, and a docstring says what it is', () => {
  for (const [entry, all] of exported) {
    for (const one of all) {
      const pages = apiPages.filter((page) => page.entry === entry && (page.has?.(one) ?? true));
      expect(pages, `${entry} ${one.name}`).toHaveLength(1);
    }
  }
  const silent = [...exported.values()].flat().filter(({ text }) => text.trim() === '');
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test('every function has an example', () => {
  const functions = [...exported.values()].flat().filter(({ kind }) => kind === 'function');
  expect(functions.length).toBeGreaterThan(40);
  expect(functions.filter(({ examples }) => examples.length === 0).map(({ name }) => name)).toEqual([]);
});

/** Every value that can be imported, and from where. */
const entryOf = (): Map<string, string> =>
  new Map(
    [...exported].flatMap(([entry, all]) =>
      all.filter(({ kind }) => kind !== 'type').map(({ name }): [string, string] => [name, entry]),
    ),
  );

/** An example as a program: what it does not import itself is there, as the page says. */
function programOf(example: string): string {
  const imports = example.match(/^import .*$/gm) ?? [];
  const body = example.replaceAll(/^import .*$/gm, '');
  const used = [...entryOf()].filter(
    ([name]) => new RegExp(`\\b${name}\\b`).test(body) && !new RegExp(`\\b${name}\\b`).test(imports.join()),
  );
  return [
    ...imports,
    ...used.map(([name, entry]) => `import { ${name} } from '${entry}';`),
    "declare const db: import('drizzle-orm/postgres-js').PostgresJsDatabase;",
    'declare const tx: Parameters<Parameters<typeof db.transaction>[0]>[0];',
    'export async function example() {',
    body,
    '}',
  ].join('\n');
}

/** What tsc says of programs that import this package by its name. */
async function typeCheck(programs: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-examples-'));
  try {
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    const paths = Object.fromEntries(apiPages.map(({ entry, source }) => [entry, [path.join(root, source)]]));
    const compilerOptions = { paths, noUnusedLocals: false };
    const files = Object.keys(programs);
    const config = { extends: path.join(root, 'tsconfig.json'), compilerOptions, include: [], files };
    for (const [name, text] of Object.entries({ ...programs, 'tsconfig.json': JSON.stringify(config) }))
      await writeFile(path.join(folder, name), text);
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const said = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
    return said.split('\n').filter((line) => line.includes('error'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('the examples type-check, and a mistake in one would not', async () => {
  const programs: Record<string, string> = {};
  for (const [entry, all] of exported) {
    for (const { name, examples } of all) {
      for (const [i, example] of examples.entries()) {
        programs[`${path.basename(entry)}-${name}-${i}.mts`] = programOf(example);
      }
    }
  }
  programs['mistake.mts'] = programOf("await findFill({ id: 'f' });");
  expect(await typeCheck(programs)).toEqual([expect.stringContaining('mistake.mts(')]);
});
