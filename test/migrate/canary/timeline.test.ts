import { expect, test } from 'vitest';
import { TimelineKeeper } from '../../../src/migrate/canary/timeline.ts';

test('the longest wait of each second; null where nothing was measured', () => {
  const keeper = new TimelineKeeper(1_000_000);
  expect(keeper.read()).toEqual({ startedAtMs: 1_000_000, stepMs: 1_000, longestMs: [] });
  keeper.record(1_000_999, 3);
  keeper.record(1_000_000, 5);
  keeper.record(1_003_000, 7);
  // A clock that is set back changes nothing that can be shown.
  keeper.record(999_000, 1);
  expect(keeper.read().longestMs).toEqual([5, null, null, 7]);
});

test('a long run has longer stretches, not more of them, and loses no wait', () => {
  const keeper = new TimelineKeeper(0);
  for (let second = 0; second < 3_601; second++) keeper.record(second * 1_000, second === 1_777 ? 900 : 2);
  const { stepMs, longestMs } = keeper.read();
  expect(stepMs).toBe(8_000);
  expect(longestMs.length).toBe(Math.ceil(3_601 / 8));
  expect(longestMs.indexOf(900)).toBe(Math.floor(1_777 / 8));
  expect(longestMs.filter((ms) => ms === 2).length).toBe(longestMs.length - 1);
});
