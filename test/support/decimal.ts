/** Exact decimals in a few lines of BigInt: what sums in the database are compared with. */

const scale = 40n;
/** 1, in these units. */
export const one = 10n ** scale;

/** The shortest decimal that stands for a float4, as PostgreSQL writes it, in units of 1e-40. */
export function shortestFloat4(value: number): bigint {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return parseDecimal(text);
  }
  throw new RangeError(`${value} is no float4`);
}

/** A decimal, also with an exponent, in units of 1e-40. */
export function parseDecimal(text: string): bigint {
  const match = /^(-?)(\d+)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) throw new RangeError(`${text} is no decimal`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const shift = scale - BigInt(fraction.length) + BigInt(exponent);
  if (shift < 0n) throw new RangeError(`${text} has too many decimals`);
  const units = BigInt(whole + fraction) * 10n ** shift;
  return sign === '-' ? -units : units;
}

/** The product of two decimals that have 20 decimals at most. */
export function multiply(a: bigint, b: bigint): bigint {
  const product = a * b;
  if (product % one !== 0n) throw new RangeError('the product has more than 40 decimals');
  return product / one;
}

/** A quotient of two integers, rounded to 18 decimals, halves away from zero, in units of 1e-40. */
export function quotient(dividend: bigint, divisor: bigint): bigint {
  const scaled = dividend * 10n ** 18n;
  const half = divisor / 2n;
  return ((scaled >= 0n ? scaled + half : scaled - half) / divisor) * 10n ** (scale - 18n);
}

/** As PostgreSQL writes a numeric without trailing zeros. */
export function formatDecimal(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(Number(scale) + 1, '0');
  const fraction = digits.slice(-Number(scale)).replace(/0+$/, '');
  const whole = digits.slice(0, -Number(scale));
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
