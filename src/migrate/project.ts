import type { JournalTable } from './history/journal.ts';

/** A drizzle folder, and what is known about its files that can't be read from them. Only `folder` is needed. */
export interface Project {
  /** Folder with the files, `meta/_journal.json`, and `down/` with the file that undoes each, of the same name. */
  readonly folder: string;
  /** Where applied files are recorded (default: drizzle's own default). */
  readonly journal?: JournalTable;
  /** Oldest and newest major version of PostgreSQL that it is tested on. */
  readonly versions?: { readonly oldest: number; readonly newest: number };
  /** DO blocks of the files, by tag and label (`$columns$`): PostgreSQL's own statements are understood without. */
  readonly blocks?: Readonly<Record<string, Readonly<Record<string, StatementFacts>>>>;
  /** What an undo would put aside now, by tag and by what it is: a query of one number, `rows`. */
  readonly putAside?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the rows of its tables must keep. */
  readonly rowRules?: readonly RowRule[];
}

/** PostgreSQL's modes of a lock on a table. */
export type LockMode =
  | 'ACCESS SHARE'
  | 'ROW SHARE'
  | 'ROW EXCLUSIVE'
  | 'SHARE UPDATE EXCLUSIVE'
  | 'SHARE'
  | 'SHARE ROW EXCLUSIVE'
  | 'EXCLUSIVE'
  | 'ACCESS EXCLUSIVE';

/**
 * What is locked, seen from what the statement names: the table itself, the table of an index, and what hangs on it. The
 * default partition is that of the table, or that which stands beside it.
 */
export type LockedRelation =
  | 'itself'
  | 'its table'
  | 'its child tables'
  | 'its parent table'
  | 'its default partition'
  | 'tables that it refers to'
  | 'tables that refer to it'
  | 'tables that its query reads';

/** A lock that a statement takes on a table. */
export interface TableLock {
  /** As SQL wants it; of an index where `on` is `its table`. */
  readonly name: string;
  readonly on: LockedRelation;
  readonly mode: LockMode;
  /** True where the catalog or the rows decide whether it is taken. */
  readonly may?: true;
}

/** Is the file of a table written anew? `depends`: the catalog decides; `work` says on what. */
export type Rewrite = 'no' | 'yes' | 'depends';

/** What a statement does to a live database. */
export interface StatementFacts {
  /** The strongest lock on a table, what it means for services and for how long; `not known…` where nobody can tell. */
  readonly lock: string;
  /** What it reads or rewrites. */
  readonly work: string;
  /** Tables that it works on. */
  readonly tables: readonly string[];
  /** Tables that it locks against everybody, in short tries of its own: who holds them is who it waits for. */
  readonly exclusive?: readonly string[];
  /** Table whose heap may grow by as much as it has now, because each row gets a new version. */
  readonly rewrites?: string;
  /** The strongest lock on each table. Absent where it is not known, and of a block that only words describe. */
  readonly locks?: readonly TableLock[];
  /** Absent as `locks` is. */
  readonly rewrite?: Rewrite;
  /** True: it is done in milliseconds, however many rows there are. */
  readonly isQuick?: true;
  /** Indexes that it builds. */
  readonly builds?: readonly IndexBuild[];
}

/** An index that is built: its table, and the columns that stand in its entries. */
export interface IndexBuild {
  readonly table: string;
  readonly columns: readonly string[];
}

/** What the rows of a table must keep: the engine counts what breaks it. */
export interface RowRule {
  readonly object: string;
  readonly expected: string;
  /** What breaks it, after a number: `17 sessions …`. */
  readonly broken: string;
  readonly table: string;
  /** Columns that the condition reads, as `table.column`. Where one is missing there is nothing to count yet. */
  readonly columns: readonly string[];
  /** SQL over the table: true of a row that breaks the rule. */
  readonly condition: string;
  /** Tag of the migration that puts such rows right; undefined where nobody but the operator can know what is right. */
  readonly migration: string | undefined;
}
