import type { OperationErrorCode } from './error-codes.ts';

/** What an SQLSTATE (or a driver's own code) means to an operator. */
export interface SqlStateRule {
  readonly code: OperationErrorCode;
  /** In place of PostgreSQL's words where those would not be understood. */
  readonly message?: string;
  readonly advice: string;
  /** Where it differs from what the code says. */
  readonly isRetryable?: boolean;
}

const unreachable: SqlStateRule = {
  code: 'UNREACHABLE',
  advice:
    'Check host and port of the URL, that the server is up, and that it lets this machine in (pg_hba.conf, firewall).',
};
const lost: SqlStateRule = {
  code: 'CONNECTION_LOST',
  advice:
    'Look into the server log. What was committed stays; run the same command again when the server is back.',
};
const closed: SqlStateRule = { ...lost, message: 'the connection to the server was lost' };
const authentication: SqlStateRule = {
  code: 'AUTHENTICATION_FAILED',
  advice: 'Check user and password of the URL; a password with / ? # @ or % has to be percent-encoded.',
};
const outOfSpace: SqlStateRule = {
  code: 'OUT_OF_SPACE',
  advice: 'Give the server what it lacks (disk, memory), then run the same command again.',
};

/** Five digits and letters; Node's own `EPIPE` and its like are none (PostgreSQL has no class that begins with E). */
export const isSqlState = (code: unknown): code is string =>
  typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code);

/** The session that is asked is not the one that has prepared the statement. */
const preparedElsewhere: SqlStateRule = {
  code: 'POOLED',
  advice:
    'This is what a pooler in transaction mode does to prepared statements: each transaction gets another session of the server. Use the URL of the server itself (often port 5432 in place of 6432 or 6543), or of a pool in session mode. A service prepares none there: postgres.js with prepare: false, multi-pair-db with withoutPreparedStatements(db).',
};

/** 0A000 is whatever PostgreSQL can't do; this one is none of it. */
const stalePlan: SqlStateRule = {
  code: 'STATEMENT_FAILED',
  message:
    'a prepared statement is older than the table it reads: a column has been added or has changed since',
  advice:
    'Run the same command again: a new session prepares it anew. A service has to reconnect, or to prepare nothing that selects * (postgres.js: prepare: false).',
  isRetryable: true,
};

/** By SQLSTATE or by its class; the longest match counts. Drivers' own codes stand below. */
const rules: Readonly<Record<string, SqlStateRule>> = {
  '08': unreachable,
  '23505': {
    code: 'DUPLICATES',
    advice:
      'Rows that are stored twice are in the way. For fills, `multi-pair-db duplicates` shows them and `multi-pair-db dedupe` sets the surplus aside; then run the same command again.',
  },
  '25006': {
    code: 'READ_ONLY',
    advice: 'This server or session is read-only (a replica?). Connect to the primary.',
  },
  '25001': {
    code: 'STATEMENT_FAILED',
    advice:
      'The statement can’t run inside a transaction. End the runner’s transaction before it (COMMIT) and open a new one at the end of the file (BEGIN).',
  },
  '26000': preparedElsewhere,
  '28': authentication,
  '3D000': {
    code: 'DATABASE_MISSING',
    advice: 'Check the database name in the URL, or create the database.',
  },
  '40': {
    code: 'STATEMENT_FAILED',
    advice: 'It ran into another transaction. Run the same command again.',
    isRetryable: true,
  },
  // The transaction has failed at its end, on a constraint that is checked there: again, it would fail again.
  '40002': {
    code: 'STATEMENT_FAILED',
    advice: 'Repair what breaks the constraint, then run the same command again.',
  },
  '42P05': preparedElsewhere,
  '42501': {
    code: 'PRIVILEGE_MISSING',
    advice: 'Connect as the owner of the tables, or have the owner grant what is missing.',
  },
  '53': outOfSpace,
  '53300': {
    code: 'UNREACHABLE',
    advice: 'All connections are in use. End idle ones or wait, then run again.',
  },
  '55006': {
    code: 'LOCKED',
    advice: 'Wait until the work that uses it has ended, then run the same command again.',
  },
  '55P03': {
    code: 'LOCKED',
    advice: 'End or await the transaction that holds the lock, then run the same command again.',
  },
  '57014': {
    code: 'INTERRUPTED',
    advice:
      'It was cancelled (Ctrl-C, an operator, or a statement_timeout). Run the same command again to go on.',
  },
  '57P01': lost,
  '57P02': lost,
  '57P04': {
    code: 'DATABASE_MISSING',
    advice: 'The database was dropped while we worked in it. Check the database name in the URL.',
  },
  '57P05': lost,
  '25P03': lost,
  '25P04': lost,
  '57P03': unreachable,

  CONNECTION_CLOSED: closed,
  CONNECTION_DESTROYED: closed,
  CONNECTION_ENDED: closed,
  ECONNRESET: closed,
  EPIPE: closed,
  CONNECT_TIMEOUT: { ...unreachable, message: 'the server did not answer in time' },
  ECONNREFUSED: unreachable,
  // The name is wrong, which no second try changes; a name server that does not answer is EAI_AGAIN.
  ENOTFOUND: { ...unreachable, isRetryable: false },
  EAI_AGAIN: unreachable,
  ECONNABORTED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ENOENT: unreachable,
  SASL_SIGNATURE_MISMATCH: authentication,
  AUTH_TYPE_NOT_IMPLEMENTED: authentication,
  EACCES: { ...unreachable, isRetryable: false },
};

const fallback: SqlStateRule = {
  code: 'STATEMENT_FAILED',
  advice: 'Repair the cause, then run the same command again.',
};

/**
 * The rule for a code, or the one for what nobody foresaw. `said` tells apart what PostgreSQL gives one code; where the
 * server speaks another language, the code alone counts.
 */
export function findSqlStateRule(code: string | undefined, said = ''): SqlStateRule {
  if (code === undefined) return fallback;
  if (code === '0A000' && said.includes('cached plan must not change result type')) return stalePlan;
  return rules[code] ?? rules[code.slice(0, 2)] ?? fallback;
}
