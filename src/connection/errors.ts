import { exitCodes, type FailureExitCode, type OperationErrorCode, retryableCodes } from './error-codes.ts';
import { findSqlStateRule, isSqlState } from './sqlstate.ts';

/** What an `OperationError` is made from. */
export interface OperationErrorDetails {
  readonly code: OperationErrorCode;
  /** What went wrong, in one sentence. */
  readonly message: string;
  /** What to do next, in one or two sentences. */
  readonly advice: string;
  /** Migration file that the statement stands in. */
  readonly file?: string | undefined;
  /** Line of `file` on which the statement begins, from 1. */
  readonly line?: number | undefined;
  /** First lines of the statement. */
  readonly statement?: string | undefined;
  /** SQLSTATE, five characters. */
  readonly sqlState?: string | undefined;
  /** PostgreSQL's own words, without row values. */
  readonly serverMessage?: string | undefined;
  /** The same command may well succeed when it is run again (default: what the code says). */
  readonly isRetryable?: boolean | undefined;
}

/**
 * The one error of the migrator and of the operator's commands. It never carries a password or a value of a row.
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * try {
 *   await applyMigrations(connection);
 * } catch (error) {
 *   if (!(error instanceof OperationError) || error.code !== 'LOCKED') throw error;
 *   console.error(error.message, error.advice);
 * }
 */
export class OperationError extends Error implements OperationErrorDetails {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;
  readonly advice: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly statement: string | undefined;
  readonly sqlState: string | undefined;
  readonly serverMessage: string | undefined;
  /** The same command may well succeed when it is run again: others were in the way, or the server was not there. */
  readonly isRetryable: boolean;

  constructor(details: OperationErrorDetails) {
    super(details.message);
    this.code = details.code;
    this.advice = details.advice;
    this.file = details.file;
    this.line = details.line;
    this.statement = details.statement;
    this.sqlState = details.sqlState;
    this.serverMessage = details.serverMessage;
    this.isRetryable = details.isRetryable ?? retryableCodes.has(details.code);
  }

  get exitCode(): FailureExitCode {
    return exitCodes[this.code];
  }

  /** Every field that is known, for `--json` and for logs. */
  toJSON(): OperationErrorDetails & { readonly exitCode: FailureExitCode; readonly isRetryable: boolean } {
    const { code, exitCode, message, advice, file, line, statement, sqlState, serverMessage, isRetryable } =
      this;
    return { code, exitCode, message, advice, file, line, statement, sqlState, serverMessage, isRetryable };
  }
}

/** Where a statement comes from. */
export interface StatementSource {
  readonly statement?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** Any error of a driver as an `OperationError`: the only place that reads what a driver throws. */
export function toOperationError(
  cause: unknown,
  source: StatementSource,
  redact: (text: string) => string,
): OperationError {
  if (cause instanceof OperationError) return cause;
  const fields = readFields(cause);
  const rule = findSqlStateRule(fields.code, fields.message);
  const serverMessage = redact(withoutRowValues(fields));
  const hint = redact(fields.hint ?? '');
  return new OperationError({
    code: rule.code,
    message: rule.message ?? serverMessage,
    advice: [hint, rule.advice].filter((text) => text !== '').join(' '),
    file: source.file,
    line: source.line,
    statement: source.statement === undefined ? undefined : redact(summarizeStatement(source.statement)),
    sqlState: isSqlState(fields.code) ? fields.code : undefined,
    serverMessage,
    isRetryable: rule.isRetryable,
  });
}

interface ErrorFields {
  readonly code: string | undefined;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
}

/** postgres.js, node-postgres and PGlite all name PostgreSQL's fields alike. */
function readFields(cause: unknown): ErrorFields {
  if (typeof cause !== 'object' || cause === null) {
    return { code: undefined, message: String(cause), detail: undefined, hint: undefined };
  }
  const text = (key: string): string | undefined => {
    const value: unknown = Reflect.get(cause, key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  // A host with several addresses fails with an error without text, which holds one error for each address.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : undefined;
  const message = text('message') ?? (first instanceof Error ? first.message : 'unknown error');
  return { code: text('code'), message, detail: text('detail'), hint: text('hint') };
}

/**
 * Classes of SQLSTATE whose DETAIL speaks of locks, objects and limits. That of the others may quote rows
 * ("Key (id)=(7) already exists.", "Failing row contains (…).").
 */
const detailsWithoutRows = ['08', '2B', '40', '42', '53', '55', '57'];

function withoutRowValues({ code = '', message, detail }: ErrorFields): string {
  const sqlClass = code.slice(0, 2);
  // Class 22 quotes the value in the message itself: invalid input syntax for type integer: "abc".
  const safeMessage = sqlClass === '22' ? message.replace(/"[^"]*"/g, '"…"') : message;
  if (detail === undefined || !detailsWithoutRows.includes(sqlClass)) return safeMessage;
  return `${safeMessage}\n${detail}`;
}

const summaryLines = 4;
const summaryCharacters = 300;

/** The first lines of a statement, without the comments before it. */
export function summarizeStatement(statement: string): string {
  const lines = statement.split('\n');
  const start = lines.findIndex((line) => line.trim() !== '' && !line.trim().startsWith('--'));
  if (start === -1) return '';
  const text = lines.slice(start).join('\n').trim();
  const head = text.split('\n').slice(0, summaryLines).join('\n').slice(0, summaryCharacters);
  return head.length < text.length ? `${head} …` : head;
}
