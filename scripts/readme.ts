import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { commandList, commandReference } from '../src/cli/reference.ts';

/** Sections of README.md that are made from the code, between `<!-- name -->` and `<!-- /name -->`. */
const sections: Readonly<Record<string, () => string>> = { commands: commandList };

/** A text with its sections as the code says them now. */
export function renderSections(before: string): string {
  let after = before;
  for (const [name, write] of Object.entries(sections)) {
    const section = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!section.test(after)) throw new Error(`README.md has no section <!-- ${name} -->`);
    after = after.replace(section, (_, open: string, close: string) => `${open}\n${write()}\n\n${close}`);
  }
  return after;
}

/** What is made from the command line: a part of README.md, and a page. */
const pages: Readonly<Record<string, (before: string) => string>> = {
  'README.md': renderSections,
  'docs/cli.md': () => `<!-- made by npm run docs -->\n\n${commandReference()}\n`,
};

const locate = (page: string): URL => new URL(`../${page}`, import.meta.url);

/** Writes what is not current, and gives back its pages; only looks, where it is told so. */
export async function writeReadme({ isCheck = false } = {}): Promise<string[]> {
  const changed: string[] = [];
  for (const [page, render] of Object.entries(pages)) {
    const before = await readFile(locate(page), 'utf8').catch(() => '');
    const after = render(before);
    if (before === after) continue;
    changed.push(page);
    if (!isCheck) await writeFile(locate(page), after);
  }
  return changed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCheck = process.argv.includes('--check');
  const stale = await writeReadme({ isCheck });
  if (isCheck && stale.length > 0) {
    console.error(`not current: ${stale.join(', ')}; run \`npm run docs\` and commit what it changes.`);
    process.exitCode = 1;
  }
}
