import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeSession, withoutLiterals } from '../../src/connection/activity.ts';
import { type OperationError, summarizeStatement, toOperationError } from '../../src/connection/errors.ts';
import { formatDuration } from '../../src/connection/units.ts';
import { createRedactor, parseTarget } from '../../src/connection/url.ts';

describe('a statement of somebody else', () => {
  test.each([
    [
      "select * from fills where symbol = 'BTC/USD' and price > 1.5e3",
      'select * from fills where symbol = ? and price > ?',
    ],
    [
      `update "Order 7" set a1 = $1, b = e'it\\'s', c = 'it''s' -- 42`,
      'update "Order 7" set a1 = $1, b = ?, c = ?',
    ],
    ['select $body$ secret $body$, $$ secret $$ /* secret */', 'select ?, ?'],
    ["insert into keys values ('cut off by the serv", 'insert into keys values (?'],
    ['do $x$ cut off', 'do ?'],
  ])('%s', (statement, expected) => {
    expect(withoutLiterals(statement)).toBe(expected);
  });

  test('shows no string, however it is quoted', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (text, isCutOff) => {
        const literal = `'SECRET${text.replaceAll("'", "''")}${isCutOff ? '' : "'"}`;
        expect(withoutLiterals(`select a from b where c = ${literal}`)).toBe('select a from b where c = ?');
      }),
    );
  });

  test('is named with its session', () => {
    const session = {
      pid: 7,
      application: 'dump',
      user: 'x',
      client: null,
      state: 'active',
      openForMs: 62_000,
      statement: 'copy fills',
    };
    expect(describeSession(session)).toBe('pid 7 (dump, role x, active for 1 min 2 s): copy fills');
    expect(describeSession({ ...session, application: '', state: null, statement: null })).toBe(
      'pid 7 (role x)',
    );
  });
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [59_400, '59 s'],
  [61_000, '1 min 1 s'],
  [7_380_000, '2 h 3 min'],
])('%i ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

describe('a database URL', () => {
  test.each([
    ['postgres://u:p@db.example.com:5433/live?sslmode=require', 'db.example.com:5433/live'],
    ['postgresql://u:p%40ss@[::1]/live', '[::1]/live'],
    ['postgres://u@a:1,b:2/live', 'a:1,b:2/live'],
    ['postgres://u@h/100%25%20live', 'h/100% live'],
    ['postgres://h/', 'h'],
    ['pglite:./data', 'pglite:./data'],
    ['pglite:///var/data', 'pglite:/var/data'],
  ])('%s is called %s', (url, name) => {
    expect(parseTarget(url).name).toBe(name);
  });

  test.each([
    '',
    'pglite:',
    'mysql://u:secret@h/d',
    'postgres:secret',
    'postgres://u:secret/@h/d',
    'postgres://u:secret#@h/d',
    'postgres://u:sec%ret@h/d',
    'postgres://u:secret@h:port/d',
    'postgres://u:secret@h/100%',
    'secret',
  ])('%s is refused, and not quoted', (url) => {
    let error: unknown;
    try {
      parseTarget(url);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'URL_INVALID', exitCode: 2 });
    expect(JSON.stringify(error)).not.toMatch(/sec/);
  });

  test('gives no password to any text, whatever it is', () => {
    const passwords = fc.string({ minLength: 3 }).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(passwords, fc.string(), (password, text) => {
        const encoded = encodeURIComponent(password);
        const redact = createRedactor(`postgres://user:${encoded}@host/db`);
        const redacted = redact(`${text} ${password} and postgres://user:${encoded}@host/db`);
        expect(redacted.replaceAll('***', '')).not.toContain(` ${password} `);
        expect(redacted).not.toContain(`:${encoded}@`);
      }),
    );
  });
});

describe('an error of a driver', () => {
  const keep = (text: string): string => text;
  const convert = (fields: object): OperationError =>
    toOperationError(Object.assign(new Error(), fields), {}, keep);

  test.each([
    ['28P01', 'AUTHENTICATION_FAILED', 3],
    ['3D000', 'DATABASE_MISSING', 3],
    ['42501', 'PRIVILEGE_MISSING', 3],
    ['53300', 'UNREACHABLE', 3],
    ['57P01', 'CONNECTION_LOST', 3],
    ['ECONNREFUSED', 'UNREACHABLE', 3],
    ['CONNECTION_CLOSED', 'CONNECTION_LOST', 3],
    ['25006', 'READ_ONLY', 4],
    ['55P03', 'LOCKED', 4],
    ['23505', 'DUPLICATES', 5],
    ['53100', 'OUT_OF_SPACE', 5],
    ['57014', 'INTERRUPTED', 5],
    ['40P01', 'STATEMENT_FAILED', 5],
    ['P0001', 'STATEMENT_FAILED', 5],
    ['42601', 'STATEMENT_FAILED', 5],
    [undefined, 'STATEMENT_FAILED', 5],
  ])('%s is %s, exit code %i, with advice', (code, expected, exitCode) => {
    const error = convert({ code, message: 'words of the server', hint: 'Hint of the server.' });
    expect(error).toMatchObject({
      code: expected,
      exitCode,
      advice: expect.stringMatching(/^Hint of the server\. \w/),
    });
  });

  test.each([
    [
      {
        code: '23505',
        message: 'duplicate key',
        detail: 'Key (id)=(SECRET) already exists.',
        where: 'SECRET',
      },
    ],
    [{ code: '23514', message: 'violates check', detail: 'Failing row contains (SECRET).' }],
    [{ code: '22P02', message: 'invalid input syntax for type integer: "SECRET"' }],
    [{ code: '22P02', message: 'invalid input syntax for type json', detail: 'Token "SECRET" is invalid.' }],
    [{ code: '22001', message: 'too long', query: 'SECRET', parameters: ['SECRET'] }],
  ])('quotes no row: %o', (fields) => {
    expect(JSON.stringify(convert(fields))).not.toContain('SECRET');
  });

  test('keeps the detail that says who is in the way', () => {
    const error = convert({ code: '55P03', message: 'could not lock', detail: 'The lock is held by pid 7' });
    expect(error.serverMessage).toBe('could not lock\nThe lock is held by pid 7');
  });

  test('of a host with several addresses says what each of them said', () => {
    const cause = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]), {
      code: 'ECONNREFUSED',
    });
    expect(toOperationError(cause, {}, keep)).toMatchObject({
      code: 'UNREACHABLE',
      message: 'connect ECONNREFUSED ::1:5432',
    });
  });

  test('shows the first lines of a statement, after its comments', () => {
    expect(summarizeStatement('-- why\n\n  select 1;\n')).toBe('select 1;');
    expect(summarizeStatement('a\nb\nc\nd\ne')).toBe('a\nb\nc\nd …');
    expect(summarizeStatement('x'.repeat(1000))).toHaveLength(302);
    expect(summarizeStatement('-- nothing')).toBe('');
  });
});
