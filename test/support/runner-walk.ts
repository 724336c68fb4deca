import { expect } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { nameFolder } from '../../src/migrate/history/folder-name.ts';
import { applyMigrations, readStatus, rollbackMigration, verifyDatabase } from '../../src/own/index.ts';
import { readCatalog } from './catalog.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { forEachTag, lastTag, migrationFiles, tags } from './facts.ts';
import { brokenPromises, oddities } from './oddities.ts';
import { type RunnerName, type Runners, runnerNames } from './runners.ts';
import type { ServerVersion } from './server.ts';

/**
 * Applies the files to a live database one by one, each by the next of `order`. Then rolls back the newest file, the two
 * newest, and so on, and applies them again, by whose turn it is. After each climb the database is what `expectDone` says.
 */
export async function walkThereAndBack(
  runners: Runners,
  version: ServerVersion,
  order: readonly RunnerName[],
): Promise<void> {
  await using db = await createDatabase(version, 'legacy');
  await db.sql.unsafe(oddities);
  let turn = 0;
  const apply = async (pending: readonly string[]): Promise<void> => {
    for (const tag of pending) {
      const runner = order[turn++ % order.length] ?? 'engine';
      await runners.applyUpTo[runner](db.url, tag);
    }
  };

  await apply(tags);
  await expectDone(runners, db, version);
  // The ground has no undo.
  for (let depth = 1; depth < tags.length; depth++) {
    const again = tags.slice(-depth);
    await using connection = await openConnection(db.url);
    for (const tag of again.toReversed()) await rollbackMigration(connection, tag, { acceptDataLoss: true });
    expect((await readStatus(connection)).faults).toEqual([]);
    await apply(again);
    await expectDone(runners, db, version);
  }
}

/** The catalog of any migrated database, one row a file that either kit knows, and each runner says: nothing is pending. */
export async function expectDone(runners: Runners, db: TestDatabase, version: ServerVersion): Promise<void> {
  const readJournal = () => db.sql`select * from multi_pair_db.migrations order by created_at`;
  const journal = await readJournal();
  expect(
    journal.map(({ hash, name, created_at }) => ({ hash, name, createdAtMs: Number(created_at) })),
  ).toEqual(
    migrationFiles.map((file) => ({
      hash: file.hash,
      name: nameFolder(file),
      createdAtMs: file.createdAtMs,
    })),
  );
  for (const runner of runnerNames) await runners.applyUpTo[runner](db.url, lastTag);
  expect(await readJournal()).toEqual(journal);

  await using connection = await openConnection(db.url);
  expect(await applyMigrations(connection)).toMatchObject({ applied: [], repaired: [] });
  expect((await readStatus(connection)).migrations.map(({ state }) => state)).toEqual(forEachTag('applied'));
  expect(await verifyDatabase(connection)).toMatchObject({ verified: true, findings: [] });
  await using migrated = await createDatabase(version, 'migrated');
  expect(await db.sql.unsafe(readCatalog)).toEqual(await migrated.sql.unsafe(readCatalog));
  expect(await db.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
}
