import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { drawTerminal, readPicture } from '../../scripts/captures/picture.ts';
import { readScreen, textOf } from '../../scripts/captures/screen.ts';
import { listDifferences } from '../../scripts/captures/words.ts';

const root = new URL('../../', import.meta.url);
const folder = new URL('docs/captures/', root);
const files = (await readdir(fileURLToPath(folder))).toSorted();
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
const pictures = files.filter((name) => name.endsWith('.svg'));
const narrow = pictures.filter((name) => name.endsWith('-80.svg'));

describe('the captures that are checked in', () => {
  test('are those that the docs show, each at both widths', async () => {
    const pages = await Promise.all(
      ['README.md', 'docs/screens.md'].map((page) => readFile(new URL(page, root), 'utf8')),
    );
    const named = pages.flatMap((page) => [...page.matchAll(/\(\S*?captures\/([\w.-]+)\)/g)]);
    expect([...new Set(named.map(([, name]) => name))].toSorted()).toEqual(files);
    expect(pictures.filter((name) => !name.endsWith('-80.svg'))).toEqual(
      narrow.map((name) => name.replace('-80', '-120')).toSorted(),
    );
    expect(narrow.length).toBeGreaterThan(5);
  });

  test.each(pictures)(
    '%s: no line is wider than the terminal, and nothing of an escape sequence is left',
    async (name) => {
      const lines = readPicture(await read(name));
      const columns = Number(/-(\d+)\.svg$/.exec(name)?.[1]);
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
      expect(lines[0]).toMatch(/^\$ npx multi-pair-db /);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there
      expect(lines.join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f]|\[\d+m|\[2K/);
    },
  );

  test.each(narrow)('%s: no word is broken', async (name) => {
    const [at80, at120] = [await read(name), await read(name.replace('-80', '-120'))].map(readPicture);
    expect(listDifferences(at80 ?? [], at120 ?? [])).toEqual([]);
  });

  test.each(narrow)('%s: it ends with what to do next', async (name) => {
    const text = readPicture(await read(name)).join('\n');
    // But for the one that is not at its end.
    if (!name.startsWith('on-the-way')) expect(text).toMatch(/\n(next| {2}what to do): .*(\n {6,}.*)*$/);
    else expect(text).toMatch(/\n\[#+\.*\] \d+ % {2}index 5 of \d+.*; longest trade wait \d[\d.]* m?s$/);
  });

  test('name no folder of the machine that they were made on, and are small', async () => {
    for (const name of files) {
      const text = await readFile(new URL(name, folder), 'latin1');
      expect(text.length, name).toBeLessThan(200_000);
      if (name.endsWith('.png')) expect(text.slice(1, 4), name).toBe('PNG');
      else expect(text, name).not.toMatch(/\/(tmp|work|root|home|var|usr)\b/);
    }
  });
});

describe('a screen', () => {
  const see = (bytes: string, columns = 10): string[] => readScreen(bytes, columns).map(textOf);

  test('is what one sees in the end: what was written over or erased is gone', () => {
    expect(see('')).toEqual([]);
    expect(see('one\r\n\r\ntwo\r\n')).toEqual(['one', '', 'two']);
    expect(see('[#...] 20 %\r\u001b[2Kdone', 20)).toEqual(['done']);
    expect(see('abc\rx')).toEqual(['xbc']);
  });

  test('breaks a line that is too wide, and says so', () => {
    const rows = readScreen('0123456789\r\n0123456789ab\r\n', 10);
    expect(rows.map(textOf)).toEqual(['0123456789', '0123456789', 'ab']);
    expect(rows.map(({ isWrapped }) => isWrapped)).toEqual([false, false, true]);
  });

  test('keeps colours, and refuses what it does not know', () => {
    const [row] = readScreen('\u001b[31m\u001b[1merror\u001b[22m\u001b[39m: <x>', 20);
    expect(row?.pieces).toEqual([{ text: 'error', colour: 'red', isBold: true }, { text: ': <x>' }]);
    for (const bytes of ['\u001b[5m', '\u001b[2J', '\u001b]0;title\u0007', '\u0008', '\u001b'])
      expect(() => readScreen(bytes, 20)).toThrow('the terminal was told what no picture has');
  });

  test('is drawn line by line, and read again', () => {
    const svg = drawTerminal(readScreen('\u001b[32mok\u001b[39m  a < b && c\r\n\r\n  "d"', 20), 20, 'a & b');
    expect(readPicture(svg)).toEqual(['ok  a < b && c', '', '  "d"']);
    expect(svg).toContain('<tspan class="green">ok</tspan>  a &lt; b &amp;&amp; c');
    expect(svg).toContain('<title>a &amp; b</title>');
    expect(svg).toContain('prefers-color-scheme: dark');
  });
});

test('screens of two widths have the same words, but for numbers, unless a word was broken', () => {
  const wide = ['waited 12 ms for pid 4711, then went on with idx_fills_symbol'];
  expect(
    listDifferences(['waited 1.3 s for pid 88,', '  then went on with', '  idx_fills_symbol'], wide),
  ).toEqual([]);
  expect(
    listDifferences(['waited 12 ms for pid 4711, then went on with idx_fi', 'lls_symbol'], wide),
  ).toEqual(['idx_fi', 'lls_symbol', 'idx_fills_symbol']);
});
