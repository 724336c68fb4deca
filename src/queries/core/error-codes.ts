/** What SQLSTATEs mean to a caller of the queries: our code, our words, and whether to try again. */

/** What went wrong, in a word that stays the same from release to release. */
export type QueryErrorCode =
  | 'invalid_argument'
  | 'not_found'
  | 'claim_lost'
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

export const retryable: ReadonlySet<QueryErrorCode> = new Set<QueryErrorCode>([
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
export const quotable = new Set(['08', '25', '40', '42', '53', '55', '57', '58']);

/** Our code of a SQLSTATE, and what we say. */
export function meaningOf(source: unknown, state: string): readonly [QueryErrorCode, string] {
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
export function isStalePlan(source: unknown): boolean {
  const routine = stringAt(source, 'routine');
  return routine === undefined || routine === 'RevalidateCachedQuery';
}

/** A property of whatever was thrown, if it is text. */
export function stringAt(source: unknown, key: string): string | undefined {
  if (typeof source !== 'object' || source === null) return undefined;
  const value: unknown = Reflect.get(source, key);
  return typeof value === 'string' ? value : undefined;
}
