import { expect, test } from 'vitest';
import { formatError, formatJson, formatStop } from '../../src/cli/output.ts';
import { commandReference } from '../../src/cli/reference.ts';
import { OperationError } from '../../src/connection/errors.ts';
import { formatBytes } from '../../src/connection/units.ts';

test('an error shows each thing that is known once', () => {
  const error = new OperationError({
    code: 'STATEMENT_FAILED',
    message: 'relation "a" does not exist',
    serverMessage: 'relation "a" does not exist',
    advice: 'Repair it.',
    file: 'drizzle/0003_b.sql',
    line: 7,
    statement: 'select 1\nfrom a',
    sqlState: '42P01',
  });
  expect(formatError(error)).toBe(`error: relation "a" does not exist
  file:       drizzle/0003_b.sql:7
  statement:  select 1
              from a
  SQLSTATE:   42P01
  what to do: Repair it.`);
  expect(JSON.parse(formatJson({ error, large: 2n ** 60n }))).toMatchObject({
    error: { code: 'STATEMENT_FAILED', exitCode: 5, line: 7 },
    large: '1152921504606846976',
  });
});

test('what the operator has stopped himself is no error to be searched for', () => {
  const error = new OperationError({
    code: 'INTERRUPTED',
    message: '0002_symbol_indexes was interrupted: the statement was cancelled',
    advice: 'What 0002_symbol_indexes has committed stays.',
    statement: 'create index',
    sqlState: '57014',
  });
  expect(
    formatStop(error, 0.379),
  ).toBe(`Stopped at your request at 37 %. Nothing is lost; run the same command again.
  what was:   0002_symbol_indexes was interrupted: the statement was cancelled
  what is:    What 0002_symbol_indexes has committed stays.`);
});

test('every command lists its options and exit codes in the reference', () => {
  const reference = commandReference();
  for (const name of ['status', 'migrate', 'rollback']) expect(reference).toContain(`\n## \`${name}\`\n`);
  expect(reference).toContain('--accept-data-loss');
  // One of each command, and one of the program.
  expect(reference.match(/^Exit codes:$/gm)).toHaveLength(reference.match(/^#+ /gm)?.length ?? 0);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 kB'],
  [15 * 1024 ** 2, '15 MB'],
  [3.25 * 1024 ** 3, '3.3 GB'],
])('%f bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
