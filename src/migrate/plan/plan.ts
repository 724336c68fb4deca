import type { Connection } from '../../connection/connection.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { listDamaged } from '../catalog/damage.ts';
import { type MigrationFile, readMigrationFiles } from '../history/folder.ts';
import { compareHistory, refuseFaults, resolveMigration } from '../history/history.ts';
import { defaultJournal, listJournalRows } from '../history/journal.ts';
import type { Project } from '../project.ts';
import { listBuilds, listLeftovers } from './builds.ts';
import { findMode, type PlannedMigration, planMigration, planRepair } from './planned-migration.ts';
import { loadReader } from './statements.ts';

/** What `applyMigrations` would run now. */
export interface MigrationPlan {
  readonly applied: readonly string[];
  /** sha256 of each file of the folder, by tag, applied or not. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Files that are applied and of which something is missing or damaged: they are run again, before the others. */
  readonly repairs: readonly PlannedMigration[];
  readonly migrations: readonly PlannedMigration[];
}

/**
 * The pending files up to `upTo`, in order, as the exact statements.
 *
 * @throws OperationError `HISTORY`, `FILE_INVALID`, `USAGE`
 */
export async function buildPlan(
  connection: Connection,
  project: Project,
  upTo: string | undefined,
): Promise<MigrationPlan> {
  const files = await readMigrationFiles(project.folder);
  const journal = project.journal ?? defaultJournal;
  const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
  refuseFaults(history);
  const pending = selectFiles(files, history.pending, upTo);
  const read = await loadReader();
  const outside = pending.filter(({ statements }) => findMode(statements, read) === 'outside');
  const leftovers = await listLeftovers(connection, outside.flatMap(listBuilds));
  const damaged = await readDamaged(connection, project, files);
  const repairs = selectFiles(files, history.applied, upTo).filter(({ tag }) => damaged.has(tag));
  return {
    applied: history.applied.map((file) => file.tag),
    hashes: Object.fromEntries(files.map(({ tag, hash }) => [tag, hash])),
    repairs: repairs.map((file) =>
      planRepair(file, project.blocks?.[file.tag] ?? {}, connection.versionNumber, read),
    ),
    migrations: pending.map((file) =>
      planMigration(
        file,
        journal,
        project.blocks?.[file.tag] ?? {},
        connection.versionNumber,
        leftovers,
        read,
      ),
    ),
  };
}

function selectFiles(
  files: readonly MigrationFile[],
  from: readonly MigrationFile[],
  upTo: string | undefined,
): readonly MigrationFile[] {
  if (upTo === undefined) return from;
  const last = resolveMigration(files, upTo);
  return from.filter((file) => file.createdAtMs <= last.createdAtMs);
}

/** Without a catalog nobody knows what a file has made, and nothing is called damaged. */
async function readDamaged(
  connection: Connection,
  { folder }: Project,
  files: readonly MigrationFile[],
): Promise<ReadonlySet<string>> {
  const expected = await findCatalogFile(folder);
  if (expected.length === 0) return new Set();
  return listDamaged(expected, await readCatalog(connection, scopeOf(expected)), files[0]?.tag);
}
