import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { showEvents } from '../../src/cli/events.ts';
import { createProgress, formatError, formatJson, type ProgressStream } from '../../src/cli/output.ts';
import { commandReference } from '../../src/cli/reference.ts';
import { OperationError } from '../../src/connection/errors.ts';
import { formatBytes } from '../../src/connection/units.ts';
import type { ProgressEvent } from '../../src/migrate/run/progress.ts';

/** A stream that keeps what is written; with `columns` it is a terminal. */
function createStream(columns?: number): { stream: ProgressStream; read: () => string } {
  let text = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return { stream: Object.assign(sink, terminal), read: () => text };
}

const dump = {
  pid: 7,
  application: 'dump',
  user: 'x',
  state: 'active',
  openForMs: 2_000,
  statement: 'copy fills',
};
const tag = '0002_symbol_indexes';
const events: ProgressEvent[] = [
  { kind: 'started', tag, number: 3, of: 3, isRepair: false },
  { kind: 'statement', tag, statement: 'create index', number: 1, of: 39 },
  { kind: 'waiting', tag, for: [dump], waitedMs: 250 },
  { kind: 'waiting', tag, for: [dump], waitedMs: 500 },
  { kind: 'index', tag, index: 'idx_a', phase: 'building index: scanning table', share: 0.256 },
  { kind: 'backfill', tag, pass: 1, done: 50, total: 200, rows: 'sessions', remainingMs: 61_000 },
  { kind: 'finished', tag, durationMs: 1_200 },
];

test('elsewhere than on a terminal: plain lines, and what moves only now and then', () => {
  const { stream, read } = createStream();
  let now = 0;
  const listener = showEvents(createProgress(stream, () => now));
  for (const event of events) {
    listener(event);
    now += 2_000;
  }
  expect(read()).toBe(
    [
      '0002_symbol_indexes (3 of 3)',
      '  waiting for pid 7 (dump, active for 2 s): copy fills',
      '  still waiting, 500 ms so far',
      '  done in 1 s',
      '',
    ].join('\n'),
  );
});

test('on a terminal: one line moves, and is cut to its width', () => {
  const { stream, read } = createStream(40);
  const listener = showEvents(createProgress(stream));
  for (const event of events) listener(event);
  const seen = read().split('\r\u001b[2K');
  expect(seen).toContain('  idx_a: building index: scanning table');
  expect(seen).toContain('  backfill, pass 1: 50 of 200 sessions ');
  expect(seen.filter((text) => text.endsWith('\n'))).toEqual([
    '0002_symbol_indexes (3 of 3)\n',
    '  waiting for pid 7 (dump, active for 2 s): copy fills\n',
    '  done in 1 s\n',
  ]);
});

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

test('every command lists its options and exit codes in the reference', () => {
  const reference = commandReference();
  for (const name of ['status', 'migrate', 'rollback']) expect(reference).toContain(`### \`${name}\``);
  expect(reference).toContain('--accept-data-loss');
  expect(reference.match(/^Exit codes:$/gm)).toHaveLength(reference.match(/^### /gm)?.length ?? 0);
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
