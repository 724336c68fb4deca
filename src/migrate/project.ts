/** A drizzle folder, and what is known about its files that can't be read from them. Only `folder` is needed. */
export interface Project {
  /** Folder with the files and `meta/_journal.json`. */
  readonly folder: string;
  /** Oldest and newest major version of PostgreSQL that it is tested on. */
  readonly versions?: { readonly oldest: number; readonly newest: number };
  /** By tag. */
  readonly migrations?: Readonly<Record<string, MigrationFacts>>;
  /** What the rows of its tables must keep. */
  readonly rowRules?: readonly RowRule[];
}

/** What is known about one file. */
export interface MigrationFacts {
  /** Its DO blocks by label (`$columns$`): PostgreSQL's own statements are understood without. */
  readonly blocks?: Readonly<Record<string, StatementFacts>>;
  /** How to undo it. Without, it can't be undone. */
  readonly down?: DownFacts;
  /** A query of one boolean, `present`: is anything of it there? Tells a half-done run from none. */
  readonly presence?: string;
  /** A query of one number, `left`: rows that it still has to fill. Asked only where `presence` holds. */
  readonly backlog?: string;
  /** Indexes that it builds. */
  readonly indexes?: readonly string[];
  /** Reads the progress from a notice of the file. */
  readonly readProgress?: (notice: string) => BackfillProgress | undefined;
}

/** What a statement does to a live database. */
export interface StatementFacts {
  /** The strongest lock on a table, and for how long. */
  readonly lock: string;
  /** What it reads or rewrites. */
  readonly work: string;
  /** Tables that it works on. */
  readonly tables: readonly string[];
  /** Tables that it locks against everybody, in short tries of its own: who holds them is who it waits for. */
  readonly exclusive?: readonly string[];
  /** Table whose heap may grow by as much as it has now, because each row gets a new version. */
  readonly rewrites?: string;
}

/** How to undo a file. */
export interface DownFacts {
  /** Path of the SQL. */
  readonly file: string;
  /** What is lost for the services. Undefined: nothing is. */
  readonly dataLoss?: string;
}

/** One step of a backfill. */
export interface BackfillProgress {
  readonly pass: number;
  readonly done: number;
  readonly total: number;
  readonly filled: number;
}

/** What the rows of a table must keep: the engine counts what breaks it. */
export interface RowRule {
  readonly object: string;
  readonly expected: string;
  /** What breaks it, after a number: `17 sessions …`. */
  readonly broken: string;
  readonly table: string;
  /** Columns that the condition reads. Where one is missing there is nothing to count yet. */
  readonly columns: readonly string[];
  /** SQL over the table: true of a row that breaks the rule. */
  readonly condition: string;
  /** Tag of the migration that puts such rows right; undefined where nobody but the operator can know what is right. */
  readonly migration: string | undefined;
}
