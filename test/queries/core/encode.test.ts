import { bigint, boolean, integer, jsonb, numeric, pgTable, real, text } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encoderOf, fitsReal } from '../../../src/queries/core/encode.ts';
import { InvalidArgumentError } from '../../../src/queries/core/errors.ts';

const table = pgTable('t', {
  text: text(),
  real: real(),
  integer: integer(),
  ms: bigint({ mode: 'number' }),
  bigint: bigint({ mode: 'bigint' }),
  boolean: boolean(),
  jsonb: jsonb(),
  numeric: numeric(),
});
const encode = (key: keyof typeof table._.columns, value: unknown) => encoderOf(table[key])(value, 3, key);

const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each([
  ['text', '', ''],
  ['text', 'é🚀', 'é🚀'],
  ['real', 0.1, '0.1'],
  ['real', -0, '0'],
  ['real', 1e-7, '1e-7'],
  ['real', 3.4028234e38, '3.4028234e+38'],
  ['real', '0.100', '0.100'],
  ['real', '-.5e-3', '-.5e-3'],
  ['real', '+1.', '+1.'],
  ['real', '0e-999', '0e-999'],
  ['real', '1e-45', '1e-45'],
  ['integer', -2_147_483_648, -2_147_483_648],
  ['ms', 2 ** 53 - 1, 2 ** 53 - 1],
  ['bigint', 2n ** 63n - 1n, '9223372036854775807'],
  ['bigint', -(2n ** 63n), '-9223372036854775808'],
  ['boolean', false, false],
  ['jsonb', { a: [null, 'x"y'] }, '{"a":[null,"x\\"y"]}'],
  ['jsonb', '123', '"123"'],
  ['jsonb', '🚀', '"🚀"'],
  // A backslash and the letters after it: no escape of PostgreSQL's.
  ['jsonb', '\\u0000', String.raw`"\\u0000"`],
  ['jsonb', '\\\\ud800', String.raw`"\\\\ud800"`],
  ['jsonb', '\u0001', String.raw`"\u0001"`],
] as const)('%s: %s is sent as %s', (key, value, sent) => {
  expect(encode(key, value)).toBe(sent);
});

const range = /^row 3: real is out of the range of real/;
const storable = /^row 3: (text|jsonb) holds a character that PostgreSQL can't store/;
test.each([
  ['text', 7, 'row 3: text must be a string'],
  ['text', 'a\0', storable],
  ['text', '\ud800', storable],
  ['real', Number.NaN, 'row 3: real must be a finite number or a decimal string'],
  ['real', Number.POSITIVE_INFINITY, 'must be a finite number'],
  ['real', 'Infinity', 'must be a finite number'],
  ['real', 'secret', 'must be a finite number'],
  ['real', '', 'must be a finite number'],
  ['real', ' 1', 'must be a finite number'],
  ['real', '1\n', 'must be a finite number'],
  ['real', '0x1', 'must be a finite number'],
  ['real', 1n, 'must be a finite number'],
  ['real', '1e39', range],
  ['real', 3.5e38, range],
  ['real', 1e-46, range],
  ['real', '1e-400', range],
  ['real', '0.00e-3001e5', 'must be a finite number'],
  ['integer', 2 ** 31, /^row 3: integer must be an integer from -2147483648 to 2147483647$/],
  ['integer', '1', 'must be an integer'],
  ['integer', 0.5, 'must be an integer'],
  ['ms', 2 ** 53, 'row 3: ms must be an integer'],
  ['ms', 1n, 'must be an integer'],
  ['bigint', 2n ** 63n, 'row 3: bigint must be a bigint of 64 bits'],
  ['bigint', 1, 'must be a bigint'],
  ['boolean', 'true', 'row 3: boolean must be true or false'],
  ['boolean', 1, 'must be true or false'],
  ['jsonb', { big: 1n }, "row 3: jsonb can't be written as JSON"],
  ['jsonb', cycle, "can't be written as JSON"],
  ['jsonb', () => 1, "can't be written as JSON"],
  ['jsonb', { 'a\0': 1 }, storable],
  ['jsonb', ['secret\0'], storable],
  ['jsonb', '\\\0', storable],
  ['jsonb', '\udc00', storable],
] as const)('%s: %s is refused, by row and column', (key, value, message) => {
  const attempt = () => encode(key, value);
  expect(attempt).toThrow(InvalidArgumentError);
  expect(attempt).toThrow(message);
  expect(attempt).not.toThrow(/secret/);
});

test('a type that no encoder knows is noticed when its table is, not when a row comes', () => {
  expect(() => encoderOf(table.numeric)).toThrow(/column numeric: no encoder writes numeric/);
});

test('a number and its text are in range or out of it together', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(fitsReal(value)).toBe(fitsReal(String(value)));
      const stored = Math.fround(value);
      expect(fitsReal(value)).toBe(Number.isFinite(stored) && (stored !== 0 || value === 0));
    }),
  );
});
