import type { Connection } from '../../connection/connection.ts';
import { inReadOnlyTransaction } from '../../connection/read-only.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import { findDownFile } from '../history/down.ts';
import { readMigrationFiles } from '../history/folder.ts';
import { compareHistory, refuseFaults, resolveMigration } from '../history/history.ts';
import { defaultJournal, listJournalRows } from '../history/journal.ts';
import { loadReader } from '../plan/statements.ts';
import type { PlanStep } from '../plan/step.ts';
import { isPresent } from '../presence.ts';
import type { Project } from '../project.ts';
import { planUndo, refuseOutOfOrder, refuseWithoutUndo } from './undo.ts';

/** What a rollback would do. */
export interface DescribedRollback {
  readonly target: string;
  readonly tag: string;
  /** False: it was neither recorded nor is anything of it there. */
  readonly isThere: boolean;
  /** What is lost for the services; undefined: nothing. */
  readonly dataLoss: string | undefined;
  /** What it would put aside, for a later migrate to give back: rows, by what they are. */
  readonly putAside: Readonly<Record<string, number>>;
  readonly steps: readonly PlanStep[];
}

/** What `rollbackMigration` would do now; read-only. */
export async function planRollback(
  connection: Connection,
  name: string,
  { project }: { readonly project: Project },
): Promise<DescribedRollback> {
  const journal = project.journal ?? defaultJournal;
  const files = await readMigrationFiles(project.folder);
  const migration = resolveMigration(files, name);
  const { tag } = migration;
  const down = refuseWithoutUndo(migration, await findDownFile(project.folder, migration), true);
  return inReadOnlyTransaction(connection, async () => {
    const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
    refuseFaults(history);
    refuseOutOfOrder(migration, history);
    const expected = await findCatalogFile(project.folder);
    const isPresentNow = isPresent(await readCatalog(connection, scopeOf(expected)), expected, tag);
    const putAside: Record<string, number> = {};
    for (const [what, query] of isPresentNow ? Object.entries(project.putAside?.[tag] ?? {}) : []) {
      const [row] = await connection.query<{ rows: number }>(query);
      putAside[what] = row?.rows ?? 0;
    }
    const { steps } = planUndo(project, migration, down, connection.versionNumber, await loadReader());
    const isThere = isPresentNow || history.applied.includes(migration);
    return { target: connection.target, tag, isThere, dataLoss: down.dataLoss, putAside, steps };
  });
}
