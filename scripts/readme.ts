import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { commandReference } from '../src/cli/reference.ts';
import { erDiagram } from './er-diagram.ts';

/** Sections of README.md that are made from the code, between `<!-- name -->` and `<!-- /name -->`. */
const sections: Record<string, () => string> = {
  schema: erDiagram,
  commands: commandReference,
};

const file = new URL('../README.md', import.meta.url);

/** README.md with its sections as the code says them now. */
async function renderReadme(): Promise<{ before: string; after: string }> {
  const before = await readFile(file, 'utf8');
  let after = before;
  for (const [name, write] of Object.entries(sections)) {
    const section = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!section.test(after)) throw new Error(`README.md has no section <!-- ${name} -->`);
    after = after.replace(section, (_, open: string, close: string) => `${open}\n${write()}\n\n${close}`);
  }
  return { before, after };
}

export async function writeReadme(): Promise<void> {
  await writeFile(file, (await renderReadme()).after);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--check')) await writeReadme();
  else {
    const { before, after } = await renderReadme();
    if (before !== after) {
      console.error('README.md is not current: run `npm run docs` and commit what it changes.');
      process.exitCode = 1;
    }
  }
}
