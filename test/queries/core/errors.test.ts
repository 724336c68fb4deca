import { DrizzleQueryError } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DatabaseError,
  InvalidArgumentError,
  NotFoundError,
  QueryError,
  toQueryError,
} from '../../../src/queries/core/errors.ts';

const secret = 'hunter2';

/** What a driver throws, as Drizzle wraps it. */
function wrapped(fields: Record<string, unknown>): DrizzleQueryError {
  const cause = Object.assign(new Error(`invalid input syntax for type bigint: "${secret}"`), fields);
  return new DrizzleQueryError('select $1', [secret], cause);
}

test.each([
  ['23505', 'unique_violation', false],
  ['23503', 'foreign_key_violation', false],
  ['23514', 'check_violation', false],
  ['22P02', 'value_refused', false],
  ['40P01', 'deadlock', true],
  ['40001', 'serialization_failure', true],
  ['55P03', 'lock_not_available', true],
  ['57014', 'statement_timeout', false],
  ['57P01', 'connection_failed', true],
  ['53300', 'out_of_resources', true],
  ['42P01', 'schema_mismatch', false],
  ['42501', 'insufficient_privilege', false],
  ['XX000', 'database_error', false],
  ['42P05', 'prepared_statement', true],
  ['26000', 'prepared_statement', true],
  ['0A000', 'stale_plan', true],
  ['ECONNREFUSED', 'connection_failed', true],
  ['CONNECTION_CLOSED', 'connection_failed', true],
  ['UNDEFINED_VALUE', 'database_error', false],
])('%s becomes %s', (code, expected, isRetryable) => {
  const error = toQueryError('listOrders', wrapped({ code }));
  expect(error).toBeInstanceOf(DatabaseError);
  expect(error).toMatchObject({ code: expected, isRetryable, query: 'listOrders' });
  expect(error.message).toMatch(new RegExp(`^listOrders: .*${code}`));
});

test('what a pooler does to prepared statements is said in words, and what to do', () => {
  for (const code of ['42P05', '26000']) {
    const { message } = toQueryError('listOrders', wrapped({ code }));
    expect(message).toMatch(/pooler in transaction mode/);
    expect(message).toMatch(/withoutPreparedStatements/);
    expect(message).toMatch(/prepare: false/);
  }
});

test('a feature that the server does not have is no stale plan, in whatever language it says so', () => {
  const at = (routine: string) => toQueryError('listOrders', wrapped({ code: '0A000', routine }));
  expect(at('RevalidateCachedQuery')).toMatchObject({ code: 'stale_plan', isRetryable: true });
  expect(at('transformLockingClause')).toMatchObject({ code: 'database_error', isRetryable: false });
});

test('every error says whether to try again', () => {
  for (const error of [new InvalidArgumentError('x'), new NotFoundError('x')]) {
    expect(error).toBeInstanceOf(QueryError);
    expect(error.isRetryable).toBe(false);
  }
});

test('constraint and table are carried, whichever names the driver uses', () => {
  for (const fields of [
    { code: '23505', constraint_name: 'orders_pkey', table_name: 'orders' },
    { code: '23505', constraint: 'orders_pkey', table: 'orders' },
  ]) {
    expect(toQueryError('insertOrders', wrapped(fields))).toMatchObject({
      sqlState: '23505',
      constraint: 'orders_pkey',
      table: 'orders',
    });
  }
});

test('no value is left anywhere in the error, whatever the SQLSTATE', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^(22|23|P0|XX|0A)[0-9A-Z]{3}$/), (code) => {
      const error = toQueryError(
        'findOrder',
        wrapped({ code, detail: `Key (id)=(${secret})`, where: secret }),
      );
      const everything = Object.getOwnPropertyNames(error).map((key) => String(Reflect.get(error, key)));
      expect(everything.join('\n')).not.toContain(secret);
      expect(error.cause).toBeUndefined();
    }),
  );
});

test('our own errors pass unchanged', () => {
  const error = new InvalidArgumentError('limit must be …');
  expect(toQueryError('listOrders', error)).toBe(error);
});

test('what is not an error at all is reported without its text', () => {
  expect(toQueryError('findOrder', secret).message).toBe('findOrder: the driver failed (string)');
});
