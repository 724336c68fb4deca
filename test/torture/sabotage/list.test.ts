import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sabotages } from './list.ts';

test('what a sabotage alters in a migration file is there, exactly once', async () => {
  const changes = sabotages.flatMap((sabotage) => sabotage.changes);
  // What it alters in the built program is looked for when it is planted.
  for (const { file, from } of changes.filter((change) => change.file.endsWith('.sql'))) {
    const text = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect(text.split(from).length - 1, `${file}: ${from}`).toBe(1);
  }
});
