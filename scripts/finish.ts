/** `npm run finish`: puts what a bare `drizzle-kit generate` has written into the frame, with undo, catalog, the layout of 1.0, and docs. */
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from '../src/migrate/history/folder.ts';
import { migrationsFolder } from '../src/own/migrations.ts';
import { writeCatalog } from './catalog.ts';
import { writeDocs } from './docs/main.ts';
import { writeFolderV1 } from './folder-v1.ts';
import { RefusedError } from './migration/draft.ts';
import { finishFile, isUnfinished } from './migration/finish-file.ts';
import { cutStamps } from './migration/stamps.ts';
import { writeReadme } from './readme.ts';

/** Finishes the files that are unfinished, oldest first; returns their tags. */
export async function finishAll(): Promise<string[]> {
  const files = await readMigrationFiles(migrationsFolder);
  const tags = files.filter(isUnfinished).map(({ tag }) => tag);
  await cutStamps(migrationsFolder, tags);
  for (const tag of tags) {
    // Read again: the file before it may just have been finished.
    const current = await readMigrationFiles(migrationsFolder);
    const at = current.findIndex((file) => file.tag === tag);
    const file = current[at];
    if (file === undefined) throw new Error(`${tag} is gone`);
    await finishFile(migrationsFolder, file, current.slice(0, at));
  }
  await writeCatalog();
  await writeFolderV1();
  await writeReadme();
  await writeDocs();
  return tags;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const tags = await finishAll();
    console.log(tags.length === 0 ? 'Every file stands in the frame.' : `Finished: ${tags.join(', ')}`);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    console.error(
      `${error.message}\n\nNothing was written. Change the schema and generate the file again, or write it by hand.`,
    );
    process.exitCode = 1;
  }
}
