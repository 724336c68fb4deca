import { expect, test } from 'vitest';
import { anyLimitMs, judgeWaits, tradeLimitMs } from './waits.ts';

const wait = { service: 'old fills', fromMs: 10_000, toMs: 10_700 };
const queue = { service: 'old fills', seenAtMs: 10_400, waitedMs: 400, text: 'behind a build' };
const felt = { statements: 1, long: [wait], pulses: [] };

test('a wait for a lock that is longer than the limit is broken', () => {
  const { longestMs, problems } = judgeWaits(felt, [], [queue]);
  expect(longestMs).toBe(700);
  expect(problems).toEqual([expect.stringContaining('behind a build')]);
  const short = { ...wait, toMs: wait.fromMs + tradeLimitMs };
  expect(judgeWaits({ ...felt, long: [short] }, [], [queue]).problems).toEqual([]);
});

test('of a wait for no lock the limit is another', () => {
  for (const queues of [[], [{ ...queue, service: 'others' }], [{ ...queue, seenAtMs: 9_000 }]])
    expect(judgeWaits(felt, [], queues).problems).toEqual([]);
  const long = { ...wait, toMs: wait.fromMs + anyLimitMs + 1 };
  expect(judgeWaits({ ...felt, long: [long] }, [], []).problems).toEqual([
    expect.stringContaining('for no lock that was seen'),
  ]);
});

test('what is excused, and what the machine itself took meanwhile, does not count', () => {
  expect(judgeWaits(felt, [{ fromMs: 10_600, toMs: 11_000 }], [queue])).toEqual({
    longestMs: 0,
    problems: [],
  });
  expect(judgeWaits(felt, [{ fromMs: 10_700, toMs: 11_000 }], [queue]).problems).toHaveLength(1);
  const pulse = { service: 'pulse', fromMs: 10_100, toMs: 10_350 };
  expect(judgeWaits({ ...felt, pulses: [pulse] }, [], [queue])).toEqual({ longestMs: 450, problems: [] });
});
