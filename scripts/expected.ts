/** Writes what `assertSchema` expects and Drizzle's tables can't say: the triggers, and the rows of the journal. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ExpectedObject } from '../src/migrate/catalog/catalog-file.ts';
import type { MigrationFile } from '../src/migrate/history/folder.ts';

export const expectedFile = fileURLToPath(new URL('../src/queries/database/expected.ts', import.meta.url));

export function formatExpected(
  objects: readonly ExpectedObject[],
  migrations: readonly MigrationFile[],
): string {
  const triggers = objects
    .filter(({ kind, properties }) => kind === 'trigger' && properties['fires'] === 'always')
    .map(({ table, name }) => `  { table: '${table}', name: '${name}' },\n`);
  const rows = migrations.map(
    ({ tag, createdAtMs }) => `  { tag: '${tag}', createdAtMs: ${createdAtMs} },\n`,
  );
  return [
    '/** Made from drizzle/catalog.json and the journal by `npm run catalog`. */\n\n',
    '/** The triggers that keep what a service does not say. They are always enabled. */\n',
    `export const expectedTriggers: readonly { readonly table: string; readonly name: string }[] = [\n${triggers.join('')}];\n\n`,
    '/** What the journal has a row of. */\n',
    `export const expectedMigrations: readonly { readonly tag: string; readonly createdAtMs: number }[] = [\n${rows.join('')}];\n`,
  ].join('');
}

export const writeExpected = async (...given: Parameters<typeof formatExpected>): Promise<void> =>
  writeFile(expectedFile, formatExpected(...given));
