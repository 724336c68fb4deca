/** Writes `drizzle-v1/`: the files of `drizzle/` in the layout of drizzle-kit 1.0, which `drizzle-kit up` of 1.0 makes. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readMigrationFiles } from '../src/migrate/history/folder.ts';
import { nameFolder } from '../src/migrate/history/folder-name.ts';
import { migrationsFolder, migrationsFolderV1 } from '../src/own/migrations.ts';

/** Texts by path inside of a folder. */
type Files = ReadonlyMap<string, string>;

const kit = fileURLToPath(new URL('../test/drizzle-1/node_modules/drizzle-kit/bin.cjs', import.meta.url));

/** What of a drizzle folder there is in the other layout: two files a migration. */
export async function buildFolderV1(from: string): Promise<Files> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-v1-'));
  try {
    const out = path.join(home, 'drizzle');
    const migrations = await readMigrationFiles(from);
    await mkdir(out);
    await cp(path.join(from, 'meta'), path.join(out, 'meta'), { recursive: true });
    for (const { tag } of migrations) await cp(path.join(from, `${tag}.sql`), path.join(out, `${tag}.sql`));
    await promisify(execFile)(process.execPath, [kit, 'up', '--dialect', 'postgresql', '--out', out], {
      cwd: home,
    });
    const files = await readFiles(out);
    const expected = migrations.flatMap((file) =>
      ['migration.sql', 'snapshot.json'].map((name) => path.join(nameFolder(file), name)),
    );
    // The journal rows are named by these folders: the database makes the same names of stamp and tag.
    if ([...files.keys()].join() !== expected.toSorted().join())
      throw new Error(`drizzle-kit up has made ${[...files.keys()].join(', ')}, not ${expected.join(', ')}`);
    return files;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

export async function writeFolderV1(): Promise<void> {
  const files = await buildFolderV1(migrationsFolder);
  await rm(migrationsFolderV1, { recursive: true, force: true });
  for (const [file, text] of files) {
    await mkdir(path.dirname(path.join(migrationsFolderV1, file)), { recursive: true });
    await writeFile(path.join(migrationsFolderV1, file), text);
  }
}

/** Files that are missing, surplus, or not what they should be. */
export async function listStaleV1(): Promise<string[]> {
  const [wanted, found] = [await buildFolderV1(migrationsFolder), await readFiles(migrationsFolderV1)];
  return [...new Set([...wanted.keys(), ...found.keys()])].filter(
    (file) => wanted.get(file) !== found.get(file),
  );
}

async function readFiles(folder: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
  const texts = names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const);
  return new Map(await Promise.all(texts));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--check')) await writeFolderV1();
  else {
    const stale = await listStaleV1();
    if (stale.length > 0) {
      console.error(
        `drizzle-v1 is not current: ${stale.join(', ')}. Run \`npm run finish\` and commit what it changes.`,
      );
      process.exitCode = 1;
    }
  }
}
