import type { ConnectedSession } from '../../connection/connected.ts';
import type { Connection } from '../../connection/connection.ts';
import type { WorkOptions } from '../../connection/session.ts';
import { readMigrationFiles } from '../../migrate/history/folder.ts';
import { pauseTable } from '../../migrate/pause.ts';
import { ownProject } from '../../own/project.ts';
import type { RunVerification } from '../report/report.ts';
import type { BackupRecord } from './backup-record.ts';
import { readState } from './backup-state.ts';
import type { RestoredPauses } from './restored-pause.ts';

/** Where a backup goes to, and how. */
export interface RestoreOptions extends WorkOptions {
  /** A database on the server of `url`, or a URL of its own, `postgres://…` or `pglite:DIR` (default: `url` itself). */
  readonly into?: string | undefined;
  /** Name of the database, again: needed where it is not empty. Its tables that the backup holds are then replaced. */
  readonly confirm?: string | undefined;
  /** Ends the sessions of others, and keeps new ones out until it has ended (default: it refuses while there are any). */
  readonly disconnect?: boolean;
  /** Backs up what is replaced before it is (default true). */
  readonly safetyBackup?: boolean;
  /** Folder for that backup (default `backups`). */
  readonly folder?: string;
  /** Gives everything to the role that restores, and sets no privileges (default: as they were). */
  readonly withoutOwners?: boolean;
  /** Called when a part of the work begins; what goes on in it comes by `onProgress`. */
  readonly onPhase?: ((text: string) => void) | undefined;
  /** Verifies the restored database against the state of the backup (tags of migrations), and goes into the report. */
  readonly verify?: (connection: Connection, state: readonly string[]) => Promise<RunVerification>;
}

/** A table whose rows are not those that were backed up. */
export interface RowDifference {
  readonly table: string;
  readonly backedUp: number;
  readonly found: number;
}

/** What was restored. */
export interface RestoreReport extends RestoredPauses {
  readonly target: string;
  readonly record: BackupRecord;
  /** True if every table has the rows that were backed up. */
  readonly complete: boolean;
  /** Tables whose rows differ from the record. */
  readonly differences: readonly RowDifference[];
  /** The state that the backup is of, and the restored database has to be: which migrations are applied, which are not. */
  readonly state: { readonly applied: readonly string[]; readonly pending: readonly string[] };
  /** Tables, columns, indexes, triggers and procedures of ours that are not as in the backup. */
  readonly objects: { readonly missing: readonly string[]; readonly surplus: readonly string[] };
  /** What `verify` has found; undefined where it was not asked. */
  readonly verification: RunVerification | undefined;
  /** Where what was replaced is backed up. */
  readonly safetyBackup?: { readonly path: string; readonly sha256: string };
  /** Sessions that were ended. */
  readonly disconnected?: readonly ConnectedSession[];
  /** Archives of `dedupe` that the backup does not hold, under their new names. */
  readonly keptArchives?: readonly string[];
  /** Schema of the restored tables, where this role's search path does not find them. */
  readonly outsideSearchPath?: string;
  /** An embedded database that was in the way: it was renamed to this, not deleted. */
  readonly movedAside?: string;
}

/** The rows that were found against those of the record. A pause is no part of it, whatever an older or embedded one holds. */
export function compareRows(
  { rows }: BackupRecord,
  found: Readonly<Record<string, number>>,
): Pick<RestoreReport, 'complete' | 'differences'> {
  const differences = Object.entries(rows)
    .filter(([table]) => table !== pauseTable)
    .map(([table, backedUp]) => ({ table, backedUp, found: found[table] ?? 0 }))
    .filter((row) => row.backedUp !== row.found || found[row.table] === undefined);
  return { complete: differences.length === 0, differences };
}

/** The restored database against the state of its backup. Older backups do not say it: then the journal does. */
export async function compareState(
  connection: Connection,
  { state: backedUp }: BackupRecord,
): Promise<Pick<RestoreReport, 'state' | 'objects'>> {
  const found = await readState(connection);
  const files = await readMigrationFiles(ownProject.folder);
  const applied = backedUp?.applied ?? found.applied;
  const wanted = backedUp?.objects ?? found.objects;
  return {
    state: { applied, pending: files.map(({ tag }) => tag).filter((tag) => !applied.includes(tag)) },
    objects: {
      missing: wanted.filter((object) => !found.objects.includes(object)),
      surplus: found.objects.filter((object) => !wanted.includes(object)),
    },
  };
}
