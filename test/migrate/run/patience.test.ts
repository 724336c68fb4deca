import { expect, test } from 'vitest';
import type { Sight } from '../../../src/connection/watch.ts';
import { buildWaitMs, Patience } from '../../../src/migrate/run/patience.ts';

const sight = (behindMs: number): Sight => ({
  waitingFor: [],
  progress: undefined,
  waitedMs: 0,
  waitingMs: 0,
  behind: [],
  behindMs,
});
const ofBuild = (maxTradeWaitMs: number): Patience =>
  new Patience({ maxWaitMs: 60_000, maxTradeWaitMs: buildWaitMs(maxTradeWaitMs), triesItself: false });

test('a build is cancelled so early that it is gone when others have waited for the limit', () => {
  expect(ofBuild(250).ends(sight(40))).toBe(false);
  expect(ofBuild(250).ends(sight(60))).toBe(true);
  expect(ofBuild(2_000).ends(sight(1_700))).toBe(false);
  expect(ofBuild(2_000).ends(sight(1_850))).toBe(true);
});

test('with the shortest limit, too, a build behind which nobody waits goes on', () => {
  const patience = ofBuild(1);
  expect(patience.ends(sight(0))).toBe(false);
  expect(patience.ends(sight(5))).toBe(true);
  expect(patience.ends(sight(500)), 'one cancel request is enough').toBe(false);
});
