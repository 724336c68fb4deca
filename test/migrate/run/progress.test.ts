import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createNoticeReader, type ProgressEvent } from '../../../src/migrate/run/progress.ts';

const tag = '0001_multi_pair_support';
const notice = (message: string) => ({ severity: 'INFO', message });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the notices of the backfill become progress, with the time that is left', () => {
  const events: ProgressEvent[] = [];
  const read = createNoticeReader(tag, (event) => events.push(event));
  read(notice(`${tag}: pass 1, 500 of 8000 sessions, 500 filled in 20.1 ms`));
  vi.advanceTimersByTime(3_000);
  read(notice(`${tag}: pass 1, 2000 of 8000 sessions, 1500 filled in 20.1 ms`));
  // A new pass has its own pace.
  read(notice(`${tag}: pass 2, 2000 of 8000 sessions, 0 filled in 20.1 ms`));
  expect(events).toEqual([
    { kind: 'backfill', tag, pass: 1, done: 500, total: 8000, rows: 'sessions', remainingMs: undefined },
    { kind: 'backfill', tag, pass: 1, done: 2000, total: 8000, rows: 'sessions', remainingMs: 12_000 },
    { kind: 'backfill', tag, pass: 2, done: 2000, total: 8000, rows: 'sessions', remainingMs: undefined },
  ]);
});

test('other notices are passed on, but for what a file that can be run twice expects', () => {
  const events: ProgressEvent[] = [];
  const read = createNoticeReader(tag, (event) => events.push(event));
  read(notice('relation "sessions" already exists, skipping'));
  read(notice('idx_a is INVALID; set aside'));
  expect(events).toEqual([{ kind: 'notice', tag, message: 'idx_a is INVALID; set aside' }]);
});

test('on resuming, the time that is left goes by the pace of the last seconds', () => {
  const events: ProgressEvent[] = [];
  const read = createNoticeReader(tag, (event) => events.push(event));
  const batch = (done: number) =>
    read(notice(`${tag}: pass 1, ${done} of 100000 sessions, 10 filled in 20.1 ms`));
  // What an earlier run has filled is passed over quickly.
  for (let done = 10_000; done <= 50_000; done += 10_000) {
    batch(done);
    vi.advanceTimersByTime(50);
  }
  for (let done = 50_500; done <= 60_000; done += 500) {
    vi.advanceTimersByTime(1_000);
    batch(done);
  }
  expect(events.at(-1)).toMatchObject({ done: 60_000, remainingMs: 80_000 });
});

test('why a file rests, and for how long, is told apart from its other notices', () => {
  const events: ProgressEvent[] = [];
  const read = createNoticeReader(tag, (event) => events.push(event));
  read(
    notice(`${tag}: rests: pause: paused by a@b since 2026-01-31 14:00:00 UTC: two\nlines: rests: lag: no`),
  );
  read(notice(`${tag}: rested for 1234 ms: pause`));
  read(notice(`${tag}: rested for 1234 ms: boredom`));
  expect(events).toEqual([
    {
      kind: 'resting',
      tag,
      reason: 'pause',
      message: 'paused by a@b since 2026-01-31 14:00:00 UTC: two\nlines: rests: lag: no',
    },
    { kind: 'rested', tag, reason: 'pause', durationMs: 1_234 },
    { kind: 'notice', tag, message: `${tag}: rested for 1234 ms: boredom` },
  ]);
});
