/** `npm run generate -- NAME`: the whole way of a schema change, from src/schema to files that are safe on a live table. */
import { spawnSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from '../src/migrate/history/folder.ts';
import { migrationsFolder } from '../src/own/migrations.ts';
import { finishAll } from './finish.ts';
import { RefusedError } from './migration/draft.ts';

const [name, ...more] = process.argv.slice(2);
if (name === undefined || more.length > 0 || !/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error(
    'Usage: npm run generate -- NAME, where NAME says what the change does: lower case, digits and _',
  );
  process.exit(2);
}

const journalFile = path.join(migrationsFolder, 'meta', '_journal.json');
const journal = await readFile(journalFile, 'utf8');
const before = (await readMigrationFiles(migrationsFolder)).map(({ tag }) => tag);

const kit = fileURLToPath(new URL('../node_modules/drizzle-kit/bin.cjs', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
// drizzle-kit asks on a terminal whether a column was renamed or is another one; it needs one for that.
const generated = spawnSync(process.execPath, [kit, 'generate', '--name', name], {
  cwd: root,
  stdio: 'inherit',
});
if (generated.status !== 0) process.exit(generated.status ?? 1);

const tags = (await readMigrationFiles(migrationsFolder))
  .map(({ tag }) => tag)
  .filter((tag) => !before.includes(tag));
try {
  await finishAll();
  console.log(
    tags.length === 0
      ? 'The schema has not changed: there is nothing to generate.'
      : `${tags.map((tag) => `drizzle/${tag}.sql and drizzle/down/${tag}.sql`).join(', ')}: read them, run npm run check, and commit them with drizzle/meta, drizzle/catalog.json and drizzle-v1.`,
  );
} catch (error) {
  // What can't be finished is taken back, so that the folder is what it was.
  await writeFile(journalFile, journal);
  for (const tag of tags) {
    await rm(path.join(migrationsFolder, `${tag}.sql`), { force: true });
    await rm(path.join(migrationsFolder, 'meta', `${tag.slice(0, 4)}_snapshot.json`), { force: true });
  }
  if (!(error instanceof RefusedError)) throw error;
  console.error(`${error.message}\n\nNothing was generated.`);
  process.exitCode = 1;
}
