import { expect, test } from 'vitest';
import { commandsOf } from './support/blocks.ts';
import { findFault, splitLine } from './support/command-lines.ts';
import { proseOf, readPages } from './support/pages.ts';
import { readWorkflow } from './support/workflow.ts';

const pages = await readPages();
const shown = new Set(pages.flatMap(({ blocks }) => blocks.flatMap(({ file }) => file ?? [])));

/** A command that the recipe of CONTRIBUTING.md adds; `contributing.soak.test.ts` runs it. */
const ofRecipe = 'npx tsx src/cli/main.ts tables --help';

/** Page by page, what is wrong with its command lines. */
async function findFaults(lines: readonly (readonly [page: string, line: string])[]): Promise<string[]> {
  const faults: string[] = [];
  for (const [page, line] of lines) {
    const fault = await findFault(line, shown);
    if (fault !== undefined) faults.push(`${page}: ${line}: ${fault}`);
  }
  return faults;
}

test('each command line of the docs is one: what it names is there, and ours are taken by our parser', async () => {
  const lines = pages
    .flatMap(({ name, blocks }) => commandsOf(blocks).map((line) => [name, line] as const))
    .filter(([, line]) => line !== ofRecipe);
  expect(lines.length).toBeGreaterThan(60);
  expect(await findFaults(lines)).toEqual([]);
});

test('so are those in the middle of a sentence', async () => {
  const lines = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/`((?:npx )?multi-pair-db [a-z][^`]*)`/g)].map(
      ([, line = '']) => [page.name, line.replace(/ …$/, '')] as const,
    ),
  );
  expect(lines.length).toBeGreaterThan(20);
  expect(await findFaults(lines)).toEqual([]);
});

test('and so is each line that a workflow runs', async () => {
  const workflows = pages.flatMap(({ name, blocks }) =>
    blocks
      .filter(({ language }) => language === 'yaml')
      .map(({ text }) => [name, readWorkflow(text)] as const),
  );
  expect(workflows.map(([, { jobs }]) => jobs)).toEqual([
    ['check', 'migrate'],
    ['test', 'migrate'],
  ]);
  const lines = workflows.flatMap(([name, { runs }]) => runs.map((line) => [name, line] as const));
  expect(lines.length).toBeGreaterThan(10);
  expect(await findFaults(lines)).toEqual([]);
});

test.each([
  ['npx multi-pair-db frobnicate --help', 'there is no command frobnicate'],
  ['npx multi-pair-db migrate --fast', "unknown option '--fast'"],
  ['npx multi-pair-db rollback', 'missing required argument'],
  ['npx multi-pair-db pause --reason "the market" opens', 'too many arguments'],
  ['npm ci && npm run nothing', 'package.json has no script nothing'],
  ['npm tset', 'package.json has no script tset'],
  ['npx drizzle-kit migrate --config=drizzle.other.config.ts', 'no file drizzle.other.config.ts'],
  ['npx drizzle-kit push', 'drizzle-kit has no push'],
  ['psql -f drizzle/0009_nothing.sql', 'no file drizzle/0009_nothing.sql'],
  ['DATABASE_URL=x npx tsx src/nothing.ts', 'no file src/nothing.ts'],
  ['curl http://example.com', 'nobody knows curl'],
])('%s: refused', async (line, fault) => {
  expect(await findFault(line)).toContain(fault);
});

test('a line is split as a shell does it', () => {
  expect(splitLine('npm ci && A=b npx x --reason "the market opens" \'$MESSAGE\'')).toEqual([
    ['npm', 'ci'],
    ['A=b', 'npx', 'x', '--reason', 'the market opens', '$MESSAGE'],
  ]);
});

test.each([
  ['a tab', 'jobs:\n\ttest:\n'],
  ['an indent of three', 'jobs:\n   test:\n'],
  ['a line that is neither key nor item', 'jobs:\n  test\n'],
  ['a key twice', 'jobs:\n  test:\n    if: a\n    if: b\n'],
  ['a value that YAML reads otherwise', 'jobs:\n  test:\n    run: echo a: b\n'],
])('a workflow with %s is refused', (_, text) => {
  expect(() => readWorkflow(text)).toThrow('line');
});
