import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { showEvents } from '../../src/cli/events.ts';
import { formatTable } from '../../src/cli/table.ts';
import { createProgress, forStream, type ProgressStream } from '../../src/cli/terminal/progress.ts';
import { colour, hasColours } from '../../src/cli/terminal/tones.ts';
import { fitText, wrapText } from '../../src/cli/terminal/wrap.ts';
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
  client: '10.0.3.7',
  state: 'active',
  openForMs: 2_000,
  statement: 'copy fills',
};
const tag = '0002_symbol_indexes';
const build = (index: string): string => `create index concurrently if not exists ${index} on fills (id)`;
const events: ProgressEvent[] = [
  {
    kind: 'planned',
    files: [{ tag, statements: ['call multi_pair_db.enter()', build('a'), build('b'), build('c')] }],
  },
  { kind: 'started', tag, number: 3, of: 3, isRepair: false },
  { kind: 'statement', tag, statement: build('a'), number: 2, of: 4 },
  { kind: 'waiting', tag, for: [dump], waitedMs: 250 },
  { kind: 'waiting', tag, for: [dump], waitedMs: 500 },
  { kind: 'statement', tag, statement: build('b'), number: 3, of: 4 },
  { kind: 'index', tag, index: 'b', phase: 'building index: scanning table', share: 0.5 },
  { kind: 'trade wait', longestMs: 3, longestSoFarMs: 12.4 },
  { kind: 'lagging', tag, statement: build('b'), standby: 's1', lagMs: 12_000 },
  { kind: 'finished', tag, durationMs: 1_200 },
];

function show(stream: ProgressStream, stepMs: number) {
  let now = Date.UTC(2026, 10, 29, 3, 14);
  const clock = () => now;
  const progress = createProgress(stream, clock);
  const listener = showEvents(progress, clock);
  for (const event of events) {
    listener(event);
    now += stepMs;
  }
  return progress;
}

test('elsewhere than on a terminal: plain lines with the time of day, and what moves only now and then', () => {
  const { stream, read } = createStream();
  show(stream, 4_000);
  expect(read()).toBe(
    [
      '03:14:04Z 0002_symbol_indexes (3 of 3)',
      '03:14:08Z [....................] 0 %  index 1 of 3',
      '03:14:12Z   waiting for pid 7 (dump, role x, from 10.0.3.7, active for 2 s): copy fills',
      '03:14:16Z [....................] 0 %  still waiting, 500 ms so far',
      '03:14:24Z [########............] 41 %  index 2 of 3, about 22 s left: building index: scanning table',
      '03:14:32Z   standby s1 has not replayed for 12 s what was written here; what runs goes on, and the rest comes right after it',
      '03:14:36Z   done in 1 s',
      '',
    ].join('\n'),
  );
});

test('on a terminal: one line moves, has the whole and the longest wait of a trade, and is cut to its width', () => {
  const { stream, read } = createStream(120);
  expect(show(stream, 4_000).share).toBeCloseTo(0.417, 2);
  const seen = read().split('\r\u001b[2K');
  expect(seen.at(-3)).toBe(
    '[########............] 41 %  index 2 of 3, about 22 s left: building index: scanning table; longest trade wait 12 ms',
  );
  const narrow = createStream(40);
  show(narrow.stream, 4_000);
  for (const text of stripVTControlCharacters(narrow.read()).split(/[\r\n]/))
    expect(text.length).toBeLessThanOrEqual(40);
});

describe('a text on a terminal', () => {
  test('breaks between words, and goes on under the first', () => {
    const text = '  what to do: let these transactions end, then run the same command again';
    expect(wrapText(text, 40)).toBe(
      [
        '  what to do: let these transactions',
        '              end, then run the same',
        '              command again',
      ].join('\n'),
    );
    expect(wrapText('  - one two three four', 14)).toBe('  - one two\n    three four');
  });

  test('goes on under its last column, where there is room beside it', () => {
    const line = 'ok  shape  every table and column is there';
    expect(wrapText(line, 30)).toBe('ok  shape  every table and\n           column is there');
    expect(wrapText(line, 18)).toBe('ok  shape  every\ntable and column\nis there');
    expect(wrapText('  4  refused: a b', 15)).toBe('  4  refused: a\n     b');
    expect(wrapText('-- lock: a b c', 9)).toBe('-- lock:\n-- a b c');
  });

  test('leaves a word that is too long, and a command so that it can be copied', () => {
    expect(wrapText('x'.repeat(50), 20)).toBe('x'.repeat(50));
    expect(wrapText('next: multi-pair-db rollback 001 --accept-data-loss', 40)).toBe(
      'next: multi-pair-db rollback 001 \\\n      --accept-data-loss',
    );
    expect(wrapText('next: multi-pair-db status, when the run has ended', 24)).toBe(
      'next: multi-pair-db \\\n      status,\n      when the run has\n      ended',
    );
    expect(wrapText('next: multi-pair-db backup, then multi-pair-db migrate --dry-run', 46)).toBe(
      'next: multi-pair-db backup,\n      then multi-pair-db migrate --dry-run',
    );
  });

  test('is cut between words where only a line of it is shown', () => {
    expect(fitText('one two three', 13)).toBe('one two three');
    expect(fitText('one two three', 12)).toBe('one two …');
    expect(fitText('one two three', 9)).toBe('one two …');
    expect(fitText('a-word-that-is-too-long', 9)).toBe('a-word- …');
    for (let columns = 0; columns < 20; columns++)
      expect(fitText('one two three four', columns).length).toBeLessThanOrEqual(columns);
  });

  test('nothing of it is lost, and no line is wider unless it is one word', () => {
    const text =
      'A sentence of many words, and of `commands to copy`, that goes on and on.\n\n  - and a list\n';
    for (let columns = 1; columns < 90; columns++) {
      const wrapped = wrapText(text, columns);
      expect(wrapped.replaceAll(/\s+/g, ' ')).toBe(text.replaceAll(/\s+/g, ' '));
      for (const line of wrapped.split('\n')) {
        expect(line.length <= columns || !line.trim().replace(/^- /, '').includes(' ')).toBe(true);
      }
    }
  });
});

test('colour says what a line’s first word means, and never gets into a pipe', () => {
  const env = { TERM: 'xterm' };
  expect(hasColours({ isTTY: true }, env)).toBe(true);
  expect(hasColours({}, env)).toBe(false);
  expect(hasColours({ isTTY: true }, { ...env, NO_COLOR: '1' })).toBe(false);
  expect(hasColours({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  expect(hasColours({}, { FORCE_COLOR: '1' })).toBe(true);
  expect(colour('error: x')).toBe('\u001b[31m\u001b[1merror\u001b[22m\u001b[39m: x');
  expect(colour('an error: x')).toBe('an error: x');
  expect(forStream('error: a text', {})).toBe('error: a text');
});

test('a line that was broken is coloured as it was before', () => {
  vi.stubEnv('NO_COLOR', undefined);
  vi.stubEnv('FORCE_COLOR', '1');
  expect(forStream('what is\nok  it is as\nverified', { isTTY: true, columns: 9 })).toBe(
    'what is\n\u001b[32mok\u001b[39m  it is\n    as\n\u001b[32mverified\u001b[39m',
  );
  expect(forStream('it was verified', { isTTY: true, columns: 9 })).toBe('it was\nverified');
  vi.unstubAllEnvs();
});

test('a table is as wide as what is in it, numbers on the right, empty columns left out', () => {
  expect(
    formatTable([
      ['index', '>size', 'findings'],
      ['a', '12 MB', ''],
      ['long', '8 kB', ''],
    ]),
  ).toEqual(['index   size', 'a      12 MB', 'long    8 kB']);
});
