import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  absolute,
  add,
  compare,
  divide,
  formatDecimal,
  multiply,
  parseDecimal,
  signOf,
  subtract,
} from '../../../src/queries/performance/decimal.ts';

const read = (text: string) => {
  const decimal = parseDecimal(text);
  if (decimal === undefined) throw new Error(`${text} is no decimal`);
  return decimal;
};

test('what PostgreSQL, venues and people write is read as it stands, and nothing else', () => {
  const texts = {
    ...{ '0': '0', '-0': '0', '00.10': '0.1', '.5': '0.5', '5.': '5', '+3': '3', '-1e-3': '-0.001' },
    ...{ '1.6777216e+07': '16777216', '1E2': '100', '3.4028235e+38': `34028235${'0'.repeat(31)}` },
    ...{ '1e-45': `0.${'0'.repeat(44)}1`, '-12.340e1': '-123.4', '0e999': '0' },
  };
  for (const [text, expected] of Object.entries(texts))
    expect(formatDecimal(read(text)), text).toBe(expected);
  for (const text of [
    '',
    '.',
    '-',
    'e5',
    'NaN',
    'Infinity',
    '-Infinity',
    ' 1',
    '1 ',
    '1\n',
    '0x1',
    '1_0',
    '1e1000',
    '1,5',
    '--1',
    '١',
  ]) {
    expect(parseDecimal(text), text).toBeUndefined();
  }
});

test('a quotient is rounded to so many decimals, halves away from zero, as numeric rounds', () => {
  const quotients: readonly [string, string, number, string][] = [
    ['1', '3', 18, '0.333333333333333333'],
    ['2', '3', 18, '0.666666666666666667'],
    ['-2', '3', 2, '-0.67'],
    ['1', '8', 2, '0.13'],
    ['-1', '8', 2, '-0.13'],
    ['1', '-8', 2, '-0.13'],
    ['-1', '-8', 2, '0.13'],
    ['1.24999', '1', 1, '1.2'],
    ['1e-30', '1', 18, '0'],
    ['1', '1e-30', 0, `1${'0'.repeat(30)}`],
    ['0.000000000000000000000000000003', '0.1', 18, '0'],
  ];
  for (const [a, b, scale, expected] of quotients) {
    expect(formatDecimal(divide(read(a), read(b), scale)), `${a} / ${b}`).toBe(expected);
  }
});

test('sums, products and comparisons are those of whole numbers of the smallest unit', () => {
  const units = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 20 }));
  fc.assert(
    fc.property(units, units, ([m, i], [n, j]) => {
      const a = { units: m, scale: i };
      const b = { units: n, scale: j };
      const [x, y] = [m * 10n ** BigInt(20 - i), n * 10n ** BigInt(20 - j)];
      const same = (decimal: { units: bigint; scale: number }, whole: bigint, scale: number) =>
        expect(formatDecimal(decimal)).toBe(formatDecimal({ units: whole, scale }));
      same(add(a, b), x + y, 20);
      same(subtract(a, b), x - y, 20);
      same(multiply(a, b), x * y, 40);
      same(absolute(a), x < 0n ? -x : x, 20);
      expect(compare(a, b)).toBe(x < y ? -1 : x > y ? 1 : 0);
      expect(signOf(a)).toBe(x < 0n ? -1 : x > 0n ? 1 : 0);
      same(read(formatDecimal(a)), x, 20);
    }),
  );
});
