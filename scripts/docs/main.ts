/**
 * `docs/columns.md`, `docs/schema.md` and `docs/api`: what is made of the code and its docstrings alone. `docs/safety.md`:
 * what is made of the reports that the torture has left.
 * `npm run docs` writes them; with `--check` it says which are not current, and which column says too little.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../build/paths.ts';
import { listSilentColumns } from '../column-docs.ts';
import { renderApi } from './api.ts';
import { renderColumns } from './columns-page.ts';
import { renderSafety } from './safety-page.ts';
import { renderSchema } from './schema-page.ts';

/** Texts by path, from the root. */
export async function renderDocs(): Promise<Map<string, string>> {
  return new Map([
    ['docs/columns.md', await renderColumns()],
    ['docs/schema.md', renderSchema()],
    ['docs/safety.md', await renderSafety()],
    ...(await renderApi()),
  ]);
}

/** What stands in `docs/api` and comes from nowhere. */
async function listSurplus(pages: ReadonlyMap<string, string>): Promise<string[]> {
  const names = await readdir(path.join(root, 'docs/api')).catch(() => []);
  return names.map((name) => `docs/api/${name}`).filter((file) => !pages.has(file));
}

export async function writeDocs(): Promise<void> {
  const pages = await renderDocs();
  for (const file of await listSurplus(pages)) await rm(path.join(root, file));
  for (const [file, text] of pages) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
}

/** Sentences that say what is wrong; none where all is current. */
export async function checkDocs(): Promise<string[]> {
  const pages = await renderDocs();
  const stale = await listSurplus(pages);
  for (const [file, text] of pages) {
    const found = await readFile(path.join(root, file), 'utf8').catch(() => '');
    if (found !== text) stale.push(file);
  }
  return [
    ...(await listSilentColumns()),
    ...stale.map((file) => `${file} is not current: run \`npm run docs\` and commit what it changes.`),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--check')) await writeDocs();
  else {
    const faults = await checkDocs();
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
  }
}
