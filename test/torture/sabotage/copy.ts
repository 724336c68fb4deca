import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Package } from '../work/command.ts';
import type { Change, Sabotage } from './sabotage.ts';

/** A copy of the built package with a fault planted in it; nothing of it gets into the checkout. */
export async function plant(root: string, { changes }: Sabotage): Promise<Package & AsyncDisposable> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-sabotage-'));
  for (const name of ['package.json', 'dist', 'drizzle', 'drizzle-v1'])
    await cp(path.join(root, name), path.join(home, name), { recursive: true });
  await symlink(path.join(root, 'node_modules'), path.join(home, 'node_modules'));
  for (const change of changes) await apply(home, change);
  return { root: home, [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) };
}

async function apply(home: string, { file, from, to }: Change): Promise<void> {
  const target = path.join(home, file);
  const text = await readFile(target, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one ${from}`);
  await writeFile(
    target,
    text.replace(from, () => to),
  );
  if (file.endsWith('.sql')) await agree(path.join(home, 'drizzle', 'catalog.json'), from, to);
}

/** `verify` knows the procedures by their text: it has to agree, or it would find the fault by that alone. */
async function agree(catalog: string, from: string, to: string): Promise<void> {
  const [before, after] = [from, to].map((text) =>
    text
      .split('\n')
      .map((line) => JSON.stringify(line))
      .join(',\n        '),
  );
  const text = await readFile(catalog, 'utf8');
  await writeFile(
    catalog,
    text.replace(before ?? from, () => after ?? to),
  );
}
