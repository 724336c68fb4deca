import { expect, test } from 'vitest';
import { checkInteger, checkLimit, checkText } from '../../../src/queries/core/arguments.ts';
import { InvalidArgumentError } from '../../../src/queries/core/errors.ts';

test('a limit is 100 unless given, and from 1 to 1000', () => {
  expect([undefined, 1, 1000].map((limit) => checkLimit(limit))).toEqual([100, 1, 1000]);
  for (const limit of [0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => checkLimit(limit)).toThrow(InvalidArgumentError);
  }
});

test('text that PostgreSQL cannot store is refused, and not quoted', () => {
  for (const text of ['a\0b', 'a\ud800', '\udc00']) {
    expect(() => checkText('pair', text)).toThrow(/^pair holds/);
  }
  for (const text of ['', `'"\\{}`, '🚀', 'é'.repeat(10_000)]) expect(checkText('pair', text)).toBe(text);
});

test('an integer is one that JavaScript holds exactly', () => {
  expect(checkInteger('ms', -1)).toBe(-1);
  for (const value of [2 ** 53, 0.5, Number.NaN])
    expect(() => checkInteger('ms', value)).toThrow(/^ms must be/);
  expect(() => checkInteger('ms', -1, { min: 0 })).toThrow(/from 0 to/);
});
