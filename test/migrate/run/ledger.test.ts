import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunLedger } from '../../../src/migrate/run/ledger.ts';

const tag = '0001_multi_pair_support';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a rest is kept with its reason; rests for one reason in close sequence are one', () => {
  const ledger = new RunLedger();
  expect(ledger.rests).toEqual([]);
  ledger.record({ kind: 'resting', tag, reason: 'lag', message: 'standby s1 has not replayed for 11 s' });
  ledger.record({ kind: 'rested', tag, reason: 'lag', durationMs: 2_000 });
  vi.advanceTimersByTime(3_000);
  for (const durationMs of [100, 300]) ledger.record({ kind: 'rested', tag, reason: 'trade', durationMs });
  vi.advanceTimersByTime(60_000);
  ledger.record({ kind: 'rested', tag, reason: 'trade', durationMs: 500 });
  expect(ledger.rests).toEqual([
    {
      tag,
      reason: 'lag',
      message: 'standby s1 has not replayed for 11 s',
      startedAtMs: 998_000,
      endedAtMs: 1_000_000,
      restedMs: 2_000,
      times: 1,
    },
    expect.objectContaining({ reason: 'trade', startedAtMs: 1_002_900, restedMs: 400, times: 2 }),
    expect.objectContaining({ reason: 'trade', startedAtMs: 1_062_500, restedMs: 500, times: 1 }),
  ]);
  expect(ledger.restedMs).toBe(2_900);
});

test('of the lags of standbys the longest is kept, with what ran meanwhile', () => {
  const ledger = new RunLedger();
  expect(ledger.longestLag).toBeUndefined();
  const lag = (lagMs: number) => ({ tag, statement: `build ${lagMs}`, standby: 's1', lagMs, atMs: lagMs });
  for (const lagMs of [0, 4_000, 12_000, 3_000]) ledger.record({ kind: 'longest lag', ...lag(lagMs) });
  ledger.record({ kind: 'lagging', tag, statement: 'build', standby: 's1', lagMs: 20_000 });
  expect(ledger.longestLag).toEqual(lag(12_000));
});

test('what a long run keeps is bounded, and no time is lost', () => {
  const ledger = new RunLedger();
  for (let n = 0; n < 1_000; n++) {
    vi.advanceTimersByTime(60_000);
    ledger.record({ kind: 'rested', tag, reason: 'trade', durationMs: 100 });
    ledger.record({ kind: 'stepped back', tag, for: [], tries: n, statement: 'create index', waitedMs: 0 });
  }
  expect(ledger.rests.length).toBe(200);
  expect(ledger.rests.reduce((sum, { restedMs }) => sum + restedMs, 0)).toBe(100_000);
  expect(ledger.stepBacks.length).toBe(200);
  expect(ledger.stepBacks[0]).toMatchObject({ behind: 'the victim of a deadlock' });
});
