import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { writeReadme } from '../scripts/readme.ts';
import * as queries from '../src/queries/index.ts';
import { readBlocks } from './support/blocks.ts';
import { programsOf } from './support/examples.ts';
import { readPages } from './support/pages.ts';

const pages = await readPages();

test('a file that several pages show is the same in all of them', () => {
  const files = new Map<string, Set<string>>();
  for (const { file, text } of pages.flatMap(({ blocks }) => blocks)) {
    if (file !== undefined) files.set(file, (files.get(file) ?? new Set()).add(text));
  }
  expect([...files].filter(([, texts]) => texts.size > 1).map(([file]) => file)).toEqual([]);
  expect(files.size).toBeGreaterThan(8);
});

test('a change that the README shows is one of the recipes of CONTRIBUTING.md, which a test follows', () => {
  const diffsOf = (page: string): string[] =>
    pages
      .filter(({ name }) => name === page)
      .flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'diff').map(({ text }) => text));
  expect(diffsOf('README.md')).toHaveLength(1);
  expect(diffsOf('CONTRIBUTING.md')).toEqual(expect.arrayContaining(diffsOf('README.md')));
});

test('a block says what is in it, so that no example is passed over', () => {
  const languages = new Set(pages.flatMap(({ blocks }) => blocks.map(({ language }) => language)));
  const known = new Set(['', 'diff', 'json', 'mermaid', 'sh', 'sql', 'ts', 'yaml']);
  expect([...languages].filter((language) => !known.has(language))).toEqual([]);
});

test('blocks are read with their lines and files, and one that is not closed is refused', () => {
  const page = 'a\n```ts\n// src/a.ts\nlet a;\n```\n```\n# not a file\n```\n';
  expect(readBlocks(page)).toEqual([
    { language: 'ts', text: '// src/a.ts\nlet a;\n', line: 3, file: 'src/a.ts' },
    { language: '', text: '# not a file\n', line: 7, file: undefined },
  ]);
  expect(() => readBlocks('```sh\nnpm ci\n')).toThrow('the block that begins on line 1 is not closed');
  expect(() => programsOf(readBlocks('```ts\nlet a;\n```\n'))).toThrow('no program to go on with');
});

test('what is made from the code is current, and the README is short', async () => {
  expect(await writeReadme({ isCheck: true })).toEqual([]);
  expect(pages.find(({ name }) => name === 'README.md')?.text.split('\n').length).toBeLessThan(200);
});

/** The functions of the data layer that the services had. */
const before = `saveSession saveSessions getSession findSessionsToSettle updateSessionStatus
  updateSessionSettlementStatus getSessionsByStatus getRecentSessions saveOrder saveOrders getOrder getOrders getOpenOrders
  hasOpenSells updateOrderStatus cancelOrder markOrderFilled getOrdersByStatus getRecentOrders getOrderStats saveFill
  saveFills getFillsBySession getFillsByOrder getFillStats getFill updateFill transaction query`.split(/\s+/);

test('each function of the old data layer has its equivalent, which exists', async () => {
  const page = await readFile(new URL('../docs/from-the-old-data-layer.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (`.*?) +\| (.*?) +\| (.*?) +\|$/gm)];
  const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name);
  expect(rows.flatMap(([, old]) => namesIn(old)).toSorted()).toEqual(before.toSorted());
  for (const [row, , now = '', different] of rows) {
    // One after the other by semicolons; what belongs to a function stands behind it.
    for (const part of now.split(';')) {
      const [name = ''] = namesIn(part);
      expect(name in queries || /^db\.\w+$/.test(name), row).toBe(true);
    }
    expect(different).not.toBe('');
  }
});
