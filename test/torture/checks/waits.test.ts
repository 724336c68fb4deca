import { expect, test } from 'vitest';
import type { Queue } from '../watch.ts';
import { anyLimitMs, judgeWaits, tradeLimitMs } from './waits.ts';

const wait = { service: 'old fills', fromMs: 10_000, toMs: 10_700 };
const queue = {
  service: 'old fills',
  seenAtMs: 10_400,
  waitedMs: 400,
  isBehindVacuum: false,
  text: 'behind a build',
};
const look = { atMs: 10_200, tookMs: 50, text: 'load 9.0: IO:WALWrite' };
const seen = (...queues: Queue[]) => ({ queues, looks: [look] });
const felt = { statements: 1, long: [wait], pulses: [] };

test('a wait for a lock that is longer than the limit is broken', () => {
  const { longestMs, problems } = judgeWaits(felt, [], seen(queue));
  expect(longestMs).toBe(700);
  expect(problems).toEqual([expect.stringContaining('behind a build')]);
  const short = { ...wait, toMs: wait.fromMs + tradeLimitMs };
  expect(judgeWaits({ ...felt, long: [short] }, [], seen(queue)).problems).toEqual([]);
});

test('of a wait for no lock the limit is another', () => {
  for (const queues of [[], [{ ...queue, service: 'others' }], [{ ...queue, seenAtMs: 9_000 }]])
    expect(judgeWaits(felt, [], seen(...queues)).problems).toEqual([]);
  const long = { ...wait, toMs: wait.fromMs + anyLimitMs + 1 };
  expect(judgeWaits({ ...felt, long: [long] }, [], seen()).problems).toEqual([
    expect.stringContaining('for no lock that was seen'),
  ]);
});

test('what is excused, and what the machine itself took meanwhile, does not count', () => {
  expect(judgeWaits(felt, [{ fromMs: 10_600, toMs: 11_000 }], seen(queue))).toEqual({
    longestMs: 0,
    problems: [],
    notes: [],
  });
  expect(judgeWaits(felt, [{ fromMs: 10_700, toMs: 11_000 }], seen(queue)).problems).toHaveLength(1);
  const pulse = { service: 'pulse', fromMs: 10_100, toMs: 10_350 };
  expect(judgeWaits({ ...felt, pulses: [pulse] }, [], seen(queue))).toEqual({
    longestMs: 450,
    problems: [],
    notes: [],
  });
});

test('of a long wait for no lock it is noted what machine and server were at', () => {
  const { problems, notes } = judgeWaits(felt, [], seen());
  expect(problems).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(/no lock that was seen\n.*IO:WALWrite/)]);
  const later = { ...wait, fromMs: 10_300, toMs: 11_000 };
  expect(judgeWaits({ ...felt, long: [later] }, [], seen()).notes).toEqual([
    expect.not.stringContaining('WALWrite'),
  ]);
});

test('what the worker of settlement waits for is what the server has seen', () => {
  const none = { statements: 0, long: [], pulses: [] };
  const held = { ...queue, service: 'settlement', waitedMs: tradeLimitMs + 1 };
  expect(judgeWaits(none, [], seen(held)).problems).toEqual([expect.stringContaining('settlement waited')]);
  expect(judgeWaits(none, [{ fromMs: 10_000, toMs: 10_100 }], seen(held)).problems).toEqual([]);
  expect(judgeWaits(none, [], seen({ ...held, waitedMs: tradeLimitMs })).problems).toEqual([]);
});

test('an autovacuum that a starting service waits for is the server’s own', () => {
  const { problems, notes } = judgeWaits(felt, [], seen({ ...queue, isBehindVacuum: true }));
  expect(problems).toEqual([]);
  expect(notes).toEqual([expect.stringContaining('behind a build')]);
});
