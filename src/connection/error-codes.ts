/**
 * What a process that ends with the error exits with: 2 wrong usage, 3 the database can't be reached or a privilege
 * is missing, 4 refused for safety, 5 a statement failed or was interrupted.
 */
export type FailureExitCode = 2 | 3 | 4 | 5;

/** Every stable error code, and the exit code it belongs to. */
export const exitCodes = {
  USAGE: 2,
  URL_MISSING: 2,
  URL_INVALID: 2,
  DRIVER_MISSING: 2,
  PROGRAM_MISSING: 2,

  UNREACHABLE: 3,
  CONNECTION_LOST: 3,
  AUTHENTICATION_FAILED: 3,
  DATABASE_MISSING: 3,
  PRIVILEGE_MISSING: 3,
  FILE_INVALID: 4,
  POOLED: 4,
  VERSION_UNSUPPORTED: 4,
  READ_ONLY: 4,
  LOCKED: 4,
  HISTORY: 4,
  ORDER: 4,
  DATA_LOSS: 4,
  REFUSED: 4,
  DUPLICATES: 5,
  OUT_OF_SPACE: 5,
  INTERRUPTED: 5,
  STATEMENT_FAILED: 5,
} as const satisfies Record<string, FailureExitCode>;

/** What went wrong, for programs. Codes are stable; texts are not. */
export type OperationErrorCode = keyof typeof exitCodes;

/**
 * Whether the very same command may well succeed when it is run again, unless an error knows better: others were in the
 * way, or the server was not there. Not what somebody has to repair first, and not what somebody has stopped: a program
 * that runs an interrupted command again would undo what its operator has decided.
 */
export const retryableCodes: ReadonlySet<OperationErrorCode> = new Set([
  'UNREACHABLE',
  'CONNECTION_LOST',
  'LOCKED',
]);
