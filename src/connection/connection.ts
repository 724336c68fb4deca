/** A message of the server that is no error. */
export interface Notice {
  readonly severity: string;
  readonly message: string;
}

/** What may stand for `$1`, `$2`, … */
export type Parameter =
  | string
  | number
  | bigint
  | boolean
  | Date
  | null
  | readonly string[]
  | readonly number[];

/** Where SQL comes from, for errors. */
export interface FileSource {
  readonly file: string;
  /** Line on which it begins, from 1. */
  readonly line: number | undefined;
}

/** The server that a session has found, of the several that a URL may name. */
export interface ReachedEndpoint {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  /** Where the host is, if the URL says that apart. */
  readonly address: string | undefined;
}

/**
 * One session of one database: what is set in it stays set, and a lock it takes stays taken, until it is closed.
 * Every error is an `OperationError`. Run one statement at a time.
 *
 * `bigint` columns come as numbers (as `bigint` beyond 2^53), `numeric` as strings, `jsonb` as values.
 */
export interface Connection extends AsyncDisposable {
  /** A PostgreSQL server, or the embedded PGlite. */
  readonly kind: 'server' | 'embedded';
  /** Host, port and database, or the embedded directory: fit for messages. */
  readonly target: string;
  /** Which of the servers of the URL it is on; PGlite has none. */
  readonly endpoint?: ReachedEndpoint;
  /** `server_version_num`: 150018 is PostgreSQL 15.18. */
  readonly versionNumber: number;
  /** Process id of the session's backend. */
  readonly pid: number;
  /** Rows of one statement; `$1`, `$2`, … stand for the parameters. Name the columns' types in `Row` as the SQL gives them. */
  query<Row extends object>(text: string, parameters?: readonly Parameter[]): Promise<Row[]>;
  /** Runs SQL as it stands (simple protocol): for what can't be prepared, and for files. */
  execute(text: string, source?: FileSource): Promise<void>;
  /** Calls `listener` for every notice from now on; returns what ends that. */
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Cancels the running statement on the server. PGlite can't be interrupted: there it does nothing. */
  cancel(): Promise<void>;
  /** A second session on the same database, to watch this one with. PGlite has only one: undefined. */
  openSecond(): Promise<Connection | undefined>;
  close(): Promise<void>;
}
