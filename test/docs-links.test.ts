import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { proseOf, readPages } from './support/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where a link to a heading leads, as GitHub names it. */
function anchorsOf(text: string): Set<string> {
  const headings = [...proseOf({ text }).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** What a page's links lead to that is not there. */
async function findDeadLinks(name: string, text: string): Promise<string[]> {
  const dead: string[] = [];
  // The last part of `[![picture](file)](link)`, too.
  for (const [, target = ''] of proseOf({ text }).matchAll(/\]\(([^()\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const page = file === '' ? name : path.join(path.dirname(name), file);
    const isDead =
      !existsSync(path.join(root, page)) ||
      (anchor !== undefined && !anchorsOf(await readFile(path.join(root, page), 'utf8')).has(anchor));
    if (isDead) dead.push(`${name}: ${target}`);
  }
  return dead;
}

test('no link of the docs is dead', async () => {
  const pages = await readPages();
  const dead = await Promise.all(pages.map(({ name, text }) => findDeadLinks(name, text)));
  expect(dead.flat()).toEqual([]);
});

test('a file or heading that is not there would be found', async () => {
  const links =
    '[a](operator.md#nothing) [b](none.md) [![c](captures/none.svg)](screens.md) [d](#d) [e](../README.md#why)';
  expect(await findDeadLinks('docs/page.md', links)).toEqual([
    'docs/page.md: operator.md#nothing',
    'docs/page.md: none.md',
    'docs/page.md: captures/none.svg',
    'docs/page.md: #d',
  ]);
});

test('each page is on the map of the README', async () => {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const unmapped = (await readPages()).filter(
    ({ name }) => name !== 'README.md' && !readme.includes(`](${name})`),
  );
  expect(unmapped.map(({ name }) => name)).toEqual([]);
});
