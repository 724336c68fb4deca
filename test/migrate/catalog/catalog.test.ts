import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { buildCatalog } from '../../../scripts/catalog.ts';
import { expectedFile, formatExpected } from '../../../scripts/expected.ts';
import { OperationError } from '../../../src/connection/errors.ts';
import { formatCatalog, readCatalogFile } from '../../../src/migrate/catalog/catalog-file.ts';
import { migrationFiles } from '../../support/facts.ts';
import { migrationsFolder } from '../../support/migrations.ts';

const file = path.join(migrationsFolder, 'catalog.json');

test('drizzle/catalog.json is what the migrations produce (npm run catalog writes it)', async () => {
  expect(await readFile(file, 'utf8')).toBe(await buildCatalog());
});

test('what is read from the file is what was written to it', async () => {
  expect(formatCatalog(await readCatalogFile(migrationsFolder))).toBe(await readFile(file, 'utf8'));
});

test('each object names the migration that made it', async () => {
  const objects = await readCatalogFile(migrationsFolder);
  const madeBy = (tag: string): string[] =>
    objects.filter(({ migration }) => migration === tag).map(({ name }) => name);
  expect(madeBy('0001_multi_pair_support')).toEqual([
    'pair_index',
    'trg_orders_set_pair_index',
    'pair_count',
    'pairs',
    'sessions_pairs_is_array_of_strings',
    'trg_sessions_renumber_orders',
    'trg_sessions_sync_pairs',
  ]);
  expect(madeBy('0002_symbol_indexes')).toHaveLength(9);
});

test('what assertSchema expects is what they and the journal say (npm run catalog writes it)', async () => {
  expect(await readFile(expectedFile, 'utf8')).toBe(
    formatExpected(await readCatalogFile(migrationsFolder), migrationFiles),
  );
});

test('a folder without a catalog is refused with what to do', async () => {
  const error = await readCatalogFile('/nowhere').catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(OperationError);
  expect(error).toMatchObject({
    code: 'FILE_INVALID',
    advice: expect.stringContaining('install'),
  });
});
