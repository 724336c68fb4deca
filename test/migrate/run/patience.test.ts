import { expect, test } from 'vitest';
import { OperationError } from '../../../src/connection/errors.ts';
import type { Sight } from '../../../src/connection/watch.ts';
import { crowdedAfterMs, Patience } from '../../../src/migrate/run/patience.ts';

const sight = (behindMs: number): Sight => ({
  waitingFor: [],
  progress: undefined,
  waitedMs: 0,
  waitingMs: 0,
  behind: [],
  behindMs,
});
const build = 'create index concurrently if not exists i on t (c)';
const ofBuild = (maxTradeWaitMs: number): Patience =>
  new Patience({
    maxWaitMs: 60_000,
    maxTradeWaitMs: crowdedAfterMs(build, maxTradeWaitMs),
    triesItself: false,
  });

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

test.each([
  [build, 50],
  ['\n-- why\ndrop index concurrently if exists i', 50],
  ['alter table sessions validate constraint c', 50],
  ['\ndo $backfill$\nbegin\nend\n$backfill$', 250],
])('%s is given %i of 250 ms: what keeps its lock to its end less than what lets go by itself', (sql, ms) => {
  expect(crowdedAfterMs(sql, 250)).toBe(ms);
});

test.each([
  ['as long as it may', 59_900, /pg_terminate_backend\(7\).* --max-wait waits longer than 1 min/],
  [
    '50 ms, because it holds locks already',
    75,
    /pg_terminate_backend\(7\); Then run the same command again\.$/,
  ],
])(
  'a block that has waited %s names who is in the way, and the flag only where it would help',
  (_, waitingMs, advice) => {
    const reader = { pid: 7, application: 'report', user: 'r', client: null, state: 'idle in transaction' };
    const waitingFor = [{ ...reader, openForMs: 1, statement: 'select' }];
    const patience = new Patience({ maxWaitMs: 60_000, maxTradeWaitMs: 250, triesItself: true });
    expect(patience.ends({ ...sight(0), waitingFor, waitingMs })).toBe(false);
    const timeout = new OperationError({
      code: 'STATEMENT_FAILED',
      message: 'canceling statement due to lock timeout',
      advice: '',
      sqlState: '55P03',
    });
    expect(patience.explain(timeout)).toMatchObject({
      code: 'LOCKED',
      advice: expect.stringMatching(advice),
    });
  },
);
