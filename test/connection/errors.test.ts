import { describe, expect, test } from 'vitest';
import { openPglite } from '../../src/connection/embedded.ts';
import {
  exitCodes,
  type FailureExitCode,
  type OperationErrorCode,
} from '../../src/connection/error-codes.ts';
import { OperationError, toOperationError } from '../../src/connection/errors.ts';

/** What each code ends a process with, and whether the same command may well succeed when it is run again. */
const decided: Record<OperationErrorCode, [FailureExitCode, boolean]> = {
  USAGE: [2, false],
  URL_MISSING: [2, false],
  URL_INVALID: [2, false],
  DRIVER_MISSING: [2, false],
  PROGRAM_MISSING: [2, false],
  UNREACHABLE: [3, true],
  CONNECTION_LOST: [3, true],
  AUTHENTICATION_FAILED: [3, false],
  DATABASE_MISSING: [3, false],
  PRIVILEGE_MISSING: [3, false],
  FILE_INVALID: [4, false],
  POOLED: [4, false],
  VERSION_UNSUPPORTED: [4, false],
  READ_ONLY: [4, false],
  LOCKED: [4, true],
  HISTORY: [4, false],
  ORDER: [4, false],
  DATA_LOSS: [4, false],
  REFUSED: [4, false],
  DUPLICATES: [5, false],
  OUT_OF_SPACE: [5, false],
  INTERRUPTED: [5, false],
  STATEMENT_FAILED: [5, false],
};

test.each(Object.entries(exitCodes))(
  '%s: exit code and whether to try again are decided, also in JSON',
  (code) => {
    const known = code as OperationErrorCode;
    const [exitCode, isRetryable] = decided[known];
    const error = new OperationError({ code: known, message: '', advice: '' });
    expect(error).toMatchObject({ exitCode, isRetryable });
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code, exitCode, isRetryable });
    expect(new OperationError({ ...error.toJSON(), isRetryable: !isRetryable }).isRetryable).toBe(
      !isRetryable,
    );
  },
);

const convert = (code: string | undefined, message = 'words of the server'): OperationError =>
  toOperationError(Object.assign(new Error(message), { code }), {}, (text) => text);

describe('what PostgreSQL says', () => {
  test.each([
    ['40001', 'STATEMENT_FAILED', true],
    ['40P01', 'STATEMENT_FAILED', true],
    ['40002', 'STATEMENT_FAILED', false],
    ['42601', 'STATEMENT_FAILED', false],
    ['42501', 'PRIVILEGE_MISSING', false],
    ['53100', 'OUT_OF_SPACE', false],
    ['53300', 'UNREACHABLE', true],
    ['55P03', 'LOCKED', true],
    ['55006', 'LOCKED', true],
    ['57014', 'INTERRUPTED', false],
    ['57P01', 'CONNECTION_LOST', true],
    ['57P03', 'UNREACHABLE', true],
    ['57P04', 'DATABASE_MISSING', false],
    ['57P05', 'CONNECTION_LOST', true],
    ['25P03', 'CONNECTION_LOST', true],
    ['ECONNREFUSED', 'UNREACHABLE', true],
    ['EAI_AGAIN', 'UNREACHABLE', true],
    ['ENOTFOUND', 'UNREACHABLE', false],
    ['0A000', 'STATEMENT_FAILED', false],
    [undefined, 'STATEMENT_FAILED', false],
  ])('%s is %s, to be tried again: %s', (code, expected, isRetryable) => {
    expect(convert(code)).toMatchObject({ code: expected, isRetryable, advice: expect.stringMatching(/\w/) });
  });

  test('prepared statements that are out of date, or in another session, are told as what they are', async () => {
    const { connection } = await openPglite({});
    await connection.execute('create table t (a int); prepare p as select * from t; alter table t add b int');
    await expect(connection.execute('execute p')).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      sqlState: '0A000',
      isRetryable: true,
      message: expect.stringContaining('a prepared statement is older than the table'),
      serverMessage: 'cached plan must not change result type',
      advice: expect.stringContaining('Run the same command again'),
    });
    for (const [statement, sqlState] of [
      ['execute q', '26000'],
      ['prepare p as select 1', '42P05'],
    ] as const) {
      await expect(connection.execute(statement)).rejects.toMatchObject({
        code: 'POOLED',
        exitCode: 4,
        sqlState,
        message: expect.stringContaining('prepared statement'),
        advice: expect.stringMatching(/pooler in transaction mode.*5432 in place of 6432/),
      });
    }
    await connection.close();
  });
});
