import type { OperationErrorCode } from './error-codes.ts';

/** What an SQLSTATE (or a driver's own code) means to an operator. */
export interface SqlStateRule {
  readonly code: OperationErrorCode;
  /** In place of PostgreSQL's words where those would not be understood. */
  readonly message?: string;
  readonly advice: string;
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
  '28': authentication,
  '3D000': {
    code: 'DATABASE_MISSING',
    advice: 'Check the database name in the URL, or create the database.',
  },
  '40': { code: 'STATEMENT_FAILED', advice: 'It ran into another transaction. Run the same command again.' },
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
  '57P03': unreachable,

  CONNECTION_CLOSED: { ...lost, message: 'the connection to the server was lost' },
  CONNECTION_DESTROYED: { ...lost, message: 'the connection to the server was lost' },
  CONNECTION_ENDED: { ...lost, message: 'the connection to the server was lost' },
  ECONNRESET: { ...lost, message: 'the connection to the server was lost' },
  EPIPE: { ...lost, message: 'the connection to the server was lost' },
  CONNECT_TIMEOUT: { ...unreachable, message: 'the server did not answer in time' },
  ECONNREFUSED: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ENOENT: unreachable,
  SASL_SIGNATURE_MISMATCH: authentication,
  AUTH_TYPE_NOT_IMPLEMENTED: authentication,
  DEPTH_ZERO_SELF_SIGNED_CERT: unreachable,
  SELF_SIGNED_CERT_IN_CHAIN: unreachable,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unreachable,
};

const fallback: SqlStateRule = {
  code: 'STATEMENT_FAILED',
  advice: 'Repair the cause, then run the same command again.',
};

/** The rule for a code, or the one for what nobody foresaw. */
export function findSqlStateRule(code: string | undefined): SqlStateRule {
  if (code === undefined) return fallback;
  return rules[code] ?? rules[code.slice(0, 2)] ?? fallback;
}
