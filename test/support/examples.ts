import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Block } from './blocks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The TypeScript of a page as the files of a project. A block that names its file is that file; of the others one that
 * imports begins a program, and those that don't go on with it.
 */
export function programsOf(blocks: readonly Block[]): Record<string, string> {
  const programs: Record<string, string> = {};
  let current = '';
  for (const { language, file, text, line } of blocks) {
    if (language !== 'ts') continue;
    if (file !== undefined) programs[file] = text;
    else {
      if (/^import /m.test(text)) current = `line-${line}.ts`;
      if (current === '') throw new Error(`the block on line ${line} has no program to go on with`);
      programs[current] = `${programs[current] ?? ''}${text}`;
    }
  }
  return programs;
}

/** Where the types of an entry of `exports` stand, whichever conditions it has. */
function typesOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  for (const [condition, value] of Object.entries(entry)) {
    const found = condition === 'types' && typeof value === 'string' ? value : typesOf(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** This package by its name, as it is built: what a service sees, and of which tsc checks nothing but the use. */
async function readPaths(): Promise<Record<string, readonly string[]>> {
  const { exports }: { exports: Record<string, unknown> } = JSON.parse(
    await readFile(path.join(root, 'package.json'), 'utf8'),
  );
  return Object.fromEntries(
    Object.entries(exports).flatMap(([name, entry]) => {
      const types = typesOf(entry);
      return types === undefined ? [] : [[path.join('multi-pair-db', name), [path.join(root, types)]]];
    }),
  );
}

/** What tsc says of projects that import this package by its name, each in a folder of its own: lines like `adopt.md/src/a.ts(2,1): error …`. */
export async function typeCheck(
  projects: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-docs-'));
  try {
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    const compilerOptions = { paths: await readPaths(), noUnusedLocals: false };
    const config = { extends: path.join(root, 'tsconfig.json'), compilerOptions, include: ['*/**/*.ts'] };
    const files = Object.entries(projects).flatMap(([project, programs]) =>
      Object.entries(programs).map(([file, text]) => [path.join(project, file), text] as const),
    );
    for (const [name, text] of [
      ...files,
      ['package.json', '{ "type": "module" }'] as const,
      ['tsconfig.json', JSON.stringify(config)] as const,
    ]) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    }
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const said = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
    return said.split('\n').filter((line) => / error /.test(line));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
