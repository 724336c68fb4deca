import type { Connection } from '../../connection/connection.ts';
import type { WorkOptions } from '../../connection/session.ts';
import type { RunVerification } from '../run-report.ts';
import type { BackupRecord } from './backup-record.ts';
import { countRows, listTables } from './row-counts.ts';

/** Where a backup goes to. */
export interface RestoreOptions extends WorkOptions {
  /** A database on the server of `url`, or a URL of its own (`postgres://…`, `pglite:DIR`). */
  readonly into: string;
  /** Name of the database, again: needed where it is not empty. Its tables that the backup holds are then replaced. */
  readonly confirm?: string | undefined;
  /** Gives everything to the role that restores, and sets no privileges (default: as they were). */
  readonly withoutOwners?: boolean;
  /** Verifies the restored database, and goes into the report. */
  readonly verify?: (connection: Connection) => Promise<RunVerification>;
}

/** What was restored. */
export interface RestoreReport {
  readonly target: string;
  readonly record: BackupRecord;
  /** True if every table has the rows that were backed up. */
  readonly complete: boolean;
  /** Tables whose rows differ from the record. */
  readonly differences: readonly {
    readonly table: string;
    readonly backedUp: number;
    readonly found: number;
  }[];
  /** What `verify` has found; undefined where it was not asked. */
  readonly verification: RunVerification | undefined;
  /** An embedded database that was in the way: it was renamed to this, not deleted. */
  readonly movedAside?: string;
}

/** The rows of every restored table against the record. */
export async function compareRows(
  connection: Connection,
  record: BackupRecord,
): Promise<Pick<RestoreReport, 'complete' | 'differences'> & { restored: { table: string }[] }> {
  const restored = (await listTables(connection)).filter(({ qualified }) => qualified in record.rows);
  const found = await countRows(connection, restored);
  const differences = Object.entries(record.rows)
    .map(([table, backedUp]) => ({ table, backedUp, found: found[table] ?? 0 }))
    .filter((row) => row.backedUp !== row.found || found[row.table] === undefined);
  return {
    complete: differences.length === 0,
    differences,
    restored: restored.map(({ qualified }) => ({ table: qualified })),
  };
}
