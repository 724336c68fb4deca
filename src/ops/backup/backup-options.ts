import type { WorkOptions } from '../../connection/session.ts';

/** What to back up, and where to. */
export interface BackupOptions extends WorkOptions {
  /** Folder for the file and its record (default `backups`, in the working directory); made where it is missing. */
  readonly folder?: string;
  /** `tables`: the three tables and the journal only (default `database`: all). */
  readonly scope?: 'database' | 'tables';
  /** Added to the name of the file, which is otherwise the database and the second: `before-restore`. */
  readonly label?: string;
}
