/**
 * Every error that the queries throw. No message and no property ever holds a parameter or a row's value: the driver's
 * own error (Drizzle's quotes all parameters, PostgreSQL's detail quotes keys) is read, and left behind.
 */

import { RoundedIntegerError } from '../../schema/exact-bigint.ts';
import { isStalePlan, meaningOf, type QueryErrorCode, quotable, retryable, stringAt } from './error-codes.ts';

export type { QueryErrorCode };

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

/**
 * A session is no longer this worker's to settle: the reason with which the signal of its handler aborts. Somebody else has
 * it, or may soon have it.
 */
export class ClaimLostError extends QueryError {
  override readonly name = 'ClaimLostError';
  readonly code = 'claim_lost';
  readonly isRetryable = false;
}

/** The database is not what this release needs: `assertSchema` has read it, and changed nothing. */
export class SchemaMismatchError extends QueryError {
  override readonly name = 'SchemaMismatchError';
  readonly code = 'schema_mismatch';
  readonly isRetryable = false;
  /** Each thing that is missing or different: `index idx_fills_unique_dedup of fills is INVALID`. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `this database is not what this release of multi-pair-db needs: ${faults.join('; ')}. ` +
        'Run: npx multi-pair-db migrate, and if it stays so, npx multi-pair-db verify',
    );
    this.faults = faults;
  }
}

/** PostgreSQL, or the way to it, refused. */
export class DatabaseError extends QueryError {
  override readonly name: string = 'DatabaseError';
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

export interface DatabaseErrorFacts {
  readonly code: QueryErrorCode;
  readonly message: string;
  readonly sqlState?: string | undefined;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
}

/** The one place that turns what a driver throws into an error of ours. */
export function toQueryError(query: string, thrown: unknown): QueryError {
  if (thrown instanceof QueryError) return thrown;
  const source = findDriverError(thrown);
  // Its words name the column and what to do, and hold no value.
  if (source instanceof RoundedIntegerError) {
    return new DatabaseError(query, { code: 'database_error', message: `${query}: ${source.message}` });
  }
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
