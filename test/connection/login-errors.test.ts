import { describe, expect, test } from 'vitest';
import { type OperationError, toOperationError } from '../../src/connection/errors.ts';
import { explainOpening } from '../../src/connection/login-errors.ts';
import { parseTarget } from '../../src/connection/url.ts';

const convert = (code: string, message: string): OperationError =>
  toOperationError(Object.assign(new Error(message), { code }), {}, (text) => text);

describe('what can’t be opened', () => {
  const target = parseTarget('postgres://Me:SECRET@h/My%20db');
  const explain = (sqlState: string, serverMessage: string): OperationError => {
    if (target.kind !== 'server') throw new Error('no server');
    return explainOpening(convert(sqlState, serverMessage), target);
  };

  test.each([
    [
      '28P01',
      'password authentication failed for user "Me"',
      'the role "Me" in: the password is wrong',
      '\\du "Me"',
    ],
    ['28000', 'role "Me" does not exist', 'there is no role "Me"', 'create role "Me" login;'],
    [
      '28000',
      'role "Me" is not permitted to log in',
      'the role "Me" may not log in',
      'alter role "Me" login;',
    ],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.1", no encryption',
      'no pg_hba.conf entry',
      'pg_reload_conf()',
    ],
    ['28000', 'Peer authentication failed for user "Me"', 'Peer authentication failed', 'pg_hba.conf'],
    ['3D000', 'database "My db" does not exist', 'there is no database "My db"', 'create database "My db";'],
  ])('%s %s names the role or database, what to do, and no password', (sqlState, said, message, advice) => {
    const error = explain(sqlState, said);
    expect(error).toMatchObject({
      exitCode: 3,
      isRetryable: false,
      sqlState,
      message: expect.stringMatching(/^h\/My db can’t be opened: /),
    });
    expect(error.message).toContain(message);
    expect(error.advice).toContain(advice);
    expect(JSON.stringify(error)).not.toContain('SECRET');
  });

  test('nothing that has been there is lost, and what nobody foresaw is no failed statement', () => {
    expect(explain('57P01', 'terminating connection')).toMatchObject({
      code: 'UNREACHABLE',
      isRetryable: true,
    });
    expect(explain('08P01', 'protocol violation')).toMatchObject({ code: 'UNREACHABLE' });
  });
});
