import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** What may import what: a folder, those after it never. */
const layers = [
  'schema',
  'queries/core',
  'queries/sessions queries/orders queries/fills queries/database',
  'queries/performance',
  'zod',
];
const layerOf = (file: string) =>
  layers.findIndex((layer) => layer.split(' ').some((folder) => file.startsWith(`${folder}/`)));

/** The files of each file's imports, types included. */
const imports = new Map<string, string[]>();
beforeAll(async () => {
  for (const folder of ['schema', 'queries', 'zod']) {
    for (const name of await readdir(path.join(source, folder), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const file = path.join(folder, name);
      const text = await readFile(path.join(source, file), 'utf8');
      const found = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
      imports.set(
        file,
        found.map(([, to = '']) => path.join(path.dirname(file), to)),
      );
    }
  }
});

test('a folder imports only from those before it', () => {
  expect(imports.size).toBeGreaterThan(30);
  for (const [file, targets] of imports) {
    // What a service imports gathers all of them.
    if (path.basename(file) === 'index.ts' && file.startsWith('queries')) continue;
    for (const target of targets) {
      expect([imports.has(target), layerOf(target) <= layerOf(file)], `${file} imports ${target}`).toEqual([
        true,
        true,
      ]);
    }
  }
});

test('no file imports itself, over whatever others', () => {
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): void => {
    expect(above, [...above, file].join(' → ')).not.toContain(file);
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...above, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
});
