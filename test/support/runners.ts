import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { openConnection } from '../../src/connection/open.ts';
import { nameFolder } from '../../src/migrate/history/folder-name.ts';
import { applyMigrations } from '../../src/own/index.ts';
import {
  migrationsFolder,
  migrationsFolderV1,
  migrationsSchema,
  migrationsTable,
} from '../../src/own/migrations.ts';
import { migrateV1 } from '../drizzle-1/migrate.ts';
import { migrationFiles } from './facts.ts';
import { createFolder } from './folder.ts';

/** Who applies migrations: what drizzle-kit 0.31 calls, what 1.0 calls, and our engine. */
export const runnerNames = ['kit 0.31', 'kit 1.0', 'engine'] as const;
export type RunnerName = (typeof runnerNames)[number];

/** The runners, on folders of their layout. */
export interface Runners extends AsyncDisposable {
  /** Applies what is pending, up to and with a file. */
  readonly applyUpTo: Readonly<Record<RunnerName, (url: string, tag: string) => Promise<void>>>;
  /** Applies all, as a project does that says nothing of its journal. */
  readonly applyByDefault: Readonly<Record<Exclude<RunnerName, 'engine'>, (url: string) => Promise<void>>>;
}

/** Cuts both folders after each file, so that a kit can stop there: it always applies all that it finds. */
export async function createRunners(): Promise<Runners> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-runners-'));
  const cut = await Promise.all(migrationFiles.map((file) => cutFolders(home, file.tag)));
  const foldersOf = (tag: string): CutFolders => {
    const folders = cut.find((candidate) => candidate.tag === tag);
    if (folders === undefined) throw new Error(`${tag} is no migration`);
    return folders;
  };
  const journal = { migrationsSchema, migrationsTable };
  return {
    applyUpTo: {
      'kit 0.31': (url, tag) => migrateV0(url, { migrationsFolder: foldersOf(tag).old.folder, ...journal }),
      'kit 1.0': (url, tag) => migrateV1(url, { migrationsFolder: foldersOf(tag).v1, ...journal }),
      engine: async (url, tag) => {
        await using connection = await openConnection(url);
        await applyMigrations(connection, { upTo: tag });
      },
    },
    applyByDefault: {
      'kit 0.31': (url) => migrateV0(url, { migrationsFolder }),
      'kit 1.0': (url) => migrateV1(url, { migrationsFolder: migrationsFolderV1 }),
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(cut.map(({ old }) => old[Symbol.asyncDispose]()));
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function migrateV0(url: string, config: Parameters<typeof migrate>[1]): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await migrate(drizzle(client), config);
  } finally {
    await client.end();
  }
}

interface CutFolders {
  readonly tag: string;
  readonly old: { readonly folder: string } & AsyncDisposable;
  readonly v1: string;
}

async function cutFolders(home: string, tag: string): Promise<CutFolders> {
  const files = migrationFiles.slice(0, migrationFiles.findIndex((file) => file.tag === tag) + 1);
  const old = await createFolder({});
  await old.write(
    Object.fromEntries(files.map((file) => [file.tag, ''])),
    files.map(({ createdAtMs }) => createdAtMs),
  );
  const v1 = path.join(home, tag);
  for (const file of files) {
    await cp(path.join(migrationsFolder, `${file.tag}.sql`), path.join(old.folder, `${file.tag}.sql`));
    await cp(path.join(migrationsFolderV1, nameFolder(file)), path.join(v1, nameFolder(file)), {
      recursive: true,
    });
  }
  return { tag, old, v1 };
}
