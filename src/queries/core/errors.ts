/**
 * Every error that the queries throw. No message and no property ever holds a parameter or a row's value: the driver's
 * own error (Drizzle's quotes all parameters, PostgreSQL's detail quotes keys) is read, and left behind.
 */

/** What went wrong, in a word that stays the same from release to release. */
export type QueryErrorCode =
  | 'invalid_argument'
  | 'not_found'
  | 'unique_violation'
  | 'foreign_key_violation'
  | 'check_violation'
  | 'not_null_violation'
  | 'value_refused'
  | 'serialization_failure'
  | 'deadlock'
  | 'lock_not_available'
  | 'statement_timeout'
  | 'transaction_aborted'
  | 'prepared_statement'
  | 'stale_plan'
  | 'read_only'
  | 'insufficient_privilege'
  | 'schema_mismatch'
  | 'out_of_resources'
  | 'connection_failed'
  | 'database_error';

/** What all of them have in common. */
export abstract class QueryError extends Error {
  abstract readonly code: QueryErrorCode;
  /** True if the same call, in a new transaction, may well succeed. */
  abstract readonly isRetryable: boolean;
}

/** An option is wrong: nothing was sent to the database. The message says what to give instead. */
export class InvalidArgumentError extends QueryError {
  override readonly name = 'InvalidArgumentError';
  readonly code = 'invalid_argument';
  readonly isRetryable = false;
}

/** The row that the call names does not exist: nothing was changed. */
export class NotFoundError extends QueryError {
  override readonly name = 'NotFoundError';
  readonly code = 'not_found';
  readonly isRetryable = false;
}

/** PostgreSQL, or the way to it, refused. */
export class DatabaseError extends QueryError {
  override readonly name = 'DatabaseError';
  readonly code: QueryErrorCode;
  /** The query that failed, as its function is called. */
  readonly query: string;
  /** SQLSTATE, where PostgreSQL has answered. */
  readonly sqlState: string | undefined;
  /** The constraint or unique index that was violated. */
  readonly constraint: string | undefined;
  /** The table it belongs to. */
  readonly table: string | undefined;
  /** The column that was refused, where PostgreSQL names one. */
  readonly column: string | undefined;
  readonly isRetryable: boolean;

  constructor(query: string, facts: DatabaseErrorFacts) {
    super(facts.message);
    this.query = query;
    this.code = facts.code;
    this.sqlState = facts.sqlState;
    this.constraint = facts.constraint;
    this.table = facts.table;
    this.column = facts.column;
    this.isRetryable = retryable.has(facts.code);
  }
}

interface DatabaseErrorFacts {
  readonly code: QueryErrorCode;
  readonly message: string;
  readonly sqlState?: string | undefined;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
}

const retryable: ReadonlySet<QueryErrorCode> = new Set<QueryErrorCode>([
  'serialization_failure',
  'deadlock',
  'lock_not_available',
  'out_of_resources',
  'connection_failed',
  'prepared_statement',
  'stale_plan',
]);

/** Both come before a statement runs: it has changed nothing. */
const lostStatement =
  'most likely a pooler in transaction mode between them gives each transaction another connection. ' +
  'Use withoutPreparedStatements(db) of multi-pair-db/queries, or prepare: false where postgres.js connects';

/** SQLSTATE, whole or its class (the first two letters), to our code and what we say. */
const meanings: Readonly<Record<string, readonly [QueryErrorCode, string]>> = {
  '23505': ['unique_violation', 'a row with this key exists already'],
  '23503': ['foreign_key_violation', 'the row that it refers to does not exist, or is still referred to'],
  '23514': ['check_violation', 'a value breaks a rule of the table'],
  '23502': ['not_null_violation', 'a value that must be given is missing'],
  '22': [
    'value_refused',
    "a value does not fit its type (out of range, or text that PostgreSQL can't store)",
  ],
  '40P01': ['deadlock', 'two transactions waited for one another; this one was rolled back'],
  '40': ['serialization_failure', 'another transaction got in the way; run the transaction again'],
  '55P03': ['lock_not_available', 'another transaction holds the rows; try again'],
  '57014': ['statement_timeout', 'the statement was cancelled'],
  '25P02': ['transaction_aborted', 'an earlier statement of this transaction failed; roll it back'],
  '25006': ['read_only', 'the database or transaction is read-only'],
  '42P05': [
    'prepared_statement',
    `the connection has a prepared statement that the driver knows nothing of: ${lostStatement}`,
  ],
  '26000': [
    'prepared_statement',
    `the connection has lost a prepared statement that the driver counts on: ${lostStatement}`,
  ],
  '42501': ['insufficient_privilege', 'the role lacks a privilege'],
  '42': ['schema_mismatch', 'the database is not what this package expects; run multi-pair-db verify'],
  '53': ['out_of_resources', 'the server is out of connections, memory or disk'],
  '08': ['connection_failed', 'the connection to the server failed'],
  '57P': ['connection_failed', 'the server ended the connection'],
};

/** Classes whose primary message names objects and settings, never a value. */
const quotable = new Set(['08', '25', '40', '42', '53', '55', '57', '58']);

/** The one place that turns what a driver throws into an error of ours. */
export function toQueryError(query: string, thrown: unknown): QueryError {
  if (thrown instanceof QueryError) return thrown;
  const source = findDriverError(thrown);
  const state = stringAt(source, 'code');
  if (state === undefined || !/^[0-9A-Z]{5}$/.test(state) || /^E[A-Z]{4}$/.test(state)) {
    return new DatabaseError(query, describeLostConnection(query, source, state));
  }
  const [code, meaning] = meaningOf(source, state);
  // node-postgres and PGlite use PostgreSQL's field names, postgres.js spells them out.
  const constraint = stringAt(source, 'constraint_name') ?? stringAt(source, 'constraint');
  const table = stringAt(source, 'table_name') ?? stringAt(source, 'table');
  const column = stringAt(source, 'column_name') ?? stringAt(source, 'column');
  const said = quotable.has(state.slice(0, 2)) ? stringAt(source, 'message') : undefined;
  const named = [
    constraint && `constraint ${constraint}`,
    table && `table ${table}`,
    column && `column ${column}`,
  ];
  const where = [`SQLSTATE ${state}`, ...named.filter(Boolean)].join(', ');
  return new DatabaseError(query, {
    code,
    message: `${query}: ${meaning} (${where})${said === undefined ? '' : `; PostgreSQL says: ${said}`}`,
    sqlState: state,
    constraint,
    table,
    column,
  });
}

function meaningOf(source: unknown, state: string): readonly [QueryErrorCode, string] {
  if (state === '0A000' && isStalePlan(source)) {
    return ['stale_plan', 'a table has changed since the statement was prepared; run the transaction again'];
  }
  return (
    meanings[state] ??
    meanings[state.slice(0, 3)] ??
    meanings[state.slice(0, 2)] ?? ['database_error', 'PostgreSQL refused the statement']
  );
}

/** "cached plan must not change result type": known by the place in the server's code, which no language changes. */
function isStalePlan(source: unknown): boolean {
  const routine = stringAt(source, 'routine');
  return routine === undefined || routine === 'RevalidateCachedQuery';
}

/**
 * Whether a statement was refused before it ran, because of how it was prepared: sent once more without a name, it is
 * parsed anew. Not so inside a transaction, which has failed with it.
 */
export function isOfPreparation(thrown: unknown): boolean {
  const source = findDriverError(thrown);
  const state = stringAt(source, 'code');
  return state === '42P05' || state === '26000' || (state === '0A000' && isStalePlan(source));
}

/** The error below Drizzle's wrapper, whose message quotes every parameter. */
function findDriverError(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof Error && 'params' in error && error.cause !== undefined) error = error.cause;
  return error;
}

/** No SQLSTATE: the system or the driver failed. Its code (ECONNREFUSED, CONNECTION_CLOSED) is safe to show, its text is not. */
function describeLostConnection(
  query: string,
  source: unknown,
  code: string | undefined,
): DatabaseErrorFacts {
  const lost =
    code === undefined
      ? /connection|socket|timeout|closed|terminated/i.test(stringAt(source, 'message') ?? '')
      : /^E[A-Z]+$|^CONNECT/.test(code);
  const name = code ?? (source instanceof Error ? source.name : typeof source);
  return lost
    ? { code: 'connection_failed', message: `${query}: the connection to the server failed (${name})` }
    : { code: 'database_error', message: `${query}: the driver failed (${name})` };
}

function stringAt(source: unknown, key: string): string | undefined {
  if (typeof source !== 'object' || source === null) return undefined;
  const value: unknown = Reflect.get(source, key);
  return typeof value === 'string' ? value : undefined;
}
