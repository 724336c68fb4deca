import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cutStamps } from '../../scripts/migration/stamps.ts';
import { readMigrationFiles } from '../../src/migrate/history/folder.ts';
import { createFolder } from '../support/folder.ts';

const files = { '0000_a': '', '0001_b': '', '0002_c': '', '0003_d': '' };

test('new stamps are cut to the second, each later than the one before; those of released files stay', async () => {
  await using folder = await createFolder(files);
  await folder.write(files, [5_164, 7_000, 7_582, 7_990]);
  await cutStamps(folder.folder, ['0002_c', '0003_d']);
  expect((await readMigrationFiles(folder.folder)).map(({ createdAtMs }) => createdAtMs)).toEqual([
    5_164, 7_000, 8_000, 9_000,
  ]);
});

test('where nothing is new, the journal is not written', async () => {
  await using folder = await createFolder(files);
  const read = () => readFile(path.join(folder.folder, 'meta', '_journal.json'), 'utf8');
  const before = await read();
  await cutStamps(folder.folder, []);
  expect(await read()).toBe(before);
});
