import type { Connection } from './connection.ts';
import { readMigrationFiles } from './folder.ts';
import { listJournalRows } from './journal.ts';

/** Which migrations a database has and lacks. */
export interface Status {
  /** Host, port and database. */
  readonly target: string;
  /** `server_version_num` */
  readonly versionNumber: number;
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

/** Reads which migrations of `folder` are applied. Writes nothing. */
export async function readStatus(connection: Connection, folder: string): Promise<Status> {
  const files = await readMigrationFiles(folder);
  const rows = await listJournalRows(connection);
  const isApplied = (createdAtMs: number): boolean => rows.some((row) => row.createdAtMs === createdAtMs);
  return {
    target: connection.target,
    versionNumber: connection.versionNumber,
    applied: files.filter((file) => isApplied(file.createdAtMs)).map((file) => file.tag),
    pending: files.filter((file) => !isApplied(file.createdAtMs)).map((file) => file.tag),
  };
}
