import { expect, test } from 'vitest';
import { find } from '../run.ts';
import { findOddEnd, type Leave } from './ends.ts';
import { commands } from './index.ts';

const migrate = find(commands, 'migrate');
const psql = find(commands, 'psql');
const nothing: Leave = { bySignal: false, byFailure: false, byDeadlock: false, onlyRefused: false };
const failure: Leave = { ...nothing, byFailure: true };
const refusal: Leave = { ...failure, onlyRefused: true };
const end = (exitCode: number | undefined, output = '') => ({ exitCode, output, ranMs: 1 });

test('without a fault that excuses it a command ends with 0', () => {
  expect(findOddEnd(end(0), migrate, nothing)).toBeUndefined();
  for (const code of [1, 3, 4, 5, undefined])
    expect(findOddEnd(end(code), migrate, nothing)).toContain('has ended with');
});

test('a signal and a failure are excused one by one, and never what nobody thought of', () => {
  expect(findOddEnd(end(undefined), migrate, { ...nothing, bySignal: true })).toBeUndefined();
  expect(findOddEnd(end(undefined), migrate, failure)).toContain('a signal');
  expect(findOddEnd(end(5), migrate, failure)).toBeUndefined();
  expect(findOddEnd(end(2), migrate, failure)).toContain('has ended with 2');
  expect(findOddEnd(end(5, 'This is a fault of multi-pair-db'), migrate, failure)).toContain('of its own');
});

test('a deadlock is excused where a service has started beside a stock runner, and nothing else is', () => {
  const words = 'psql:drizzle/0002_symbol_indexes.sql:35: ERROR:  deadlock detected';
  const deadlock: Leave = { ...nothing, byDeadlock: true };
  expect(findOddEnd(end(3, words), psql, deadlock)).toBeUndefined();
  expect(findOddEnd(end(3, words), psql, nothing)).toContain('has ended with 3');
  expect(findOddEnd(end(3, 'ERROR:  division by zero'), psql, deadlock)).toContain('has ended with 3');
});

test('a check at the end that could not be made is excused by a failure, one that has found something never is', () => {
  const lost = 'not verified: the connection to 127.0.0.1:5432/trading was lost';
  expect(findOddEnd(end(1, lost), migrate, failure)).toBeUndefined();
  expect(findOddEnd(end(1, lost), migrate, nothing)).toContain('has ended with 1');
  expect(findOddEnd(end(1, lost), migrate, refusal)).toContain('may only refuse');
  expect(findOddEnd(end(1, 'not verified: 2 faults'), migrate, failure)).toContain('has ended with 1');
});

test('our own program may only refuse where others are in the way, and says so', () => {
  const words = 'error: another migration of this database is running; waited 60 s, nothing was changed.';
  expect(findOddEnd(end(4, words), migrate, refusal)).toBeUndefined();
  expect(findOddEnd(end(4, 'error: something'), migrate, refusal)).toContain('may only refuse');
  for (const code of [3, 5]) expect(findOddEnd(end(code, words), migrate, refusal)).toBeDefined();
  expect(findOddEnd(end(3), psql, refusal)).toBeUndefined();
});
