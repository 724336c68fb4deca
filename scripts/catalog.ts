/**
 * Writes `drizzle/catalog.json`: what the migrations produce, read from an embedded PostgreSQL that they ran on; and of
 * that, what `assertSchema` expects.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  catalogFileName,
  type ExpectedObject,
  formatCatalog,
  readCatalogFile,
} from '../src/migrate/catalog/catalog-file.ts';
import { readMigrationFiles } from '../src/migrate/history/folder.ts';
import { migrationsFolder } from '../src/own/migrations.ts';
import { writeExpected } from './expected.ts';
import { openScratch } from './migration/scratch.ts';

/** Runs the migrations one after another, and notes of each object which of them made it or changed it last. */
export async function buildCatalog(): Promise<string> {
  await using scratch = await openScratch([]);
  let objects = new Map<string, ExpectedObject>();
  for (const { tag, statements } of await readMigrationFiles(migrationsFolder)) {
    await scratch.apply(statements);
    objects = new Map(
      (await scratch.readObjects()).map((object) => {
        const key = `${object.kind} ${object.table}.${object.name}`;
        const before = objects.get(key);
        const same =
          before !== undefined && JSON.stringify(before.properties) === JSON.stringify(object.properties);
        if (same) return [key, before];
        if (before === undefined) return [key, { ...object, migration: tag }];
        return [key, { ...object, migration: tag, madeBy: before.madeBy ?? before.migration }];
      }),
    );
  }
  return formatCatalog([...objects.values()]);
}

export async function writeCatalog(): Promise<void> {
  await writeFile(path.join(migrationsFolder, catalogFileName), await buildCatalog());
  await writeExpected(await readCatalogFile(migrationsFolder), await readMigrationFiles(migrationsFolder));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeCatalog();
