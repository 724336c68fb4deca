/**
 * Exact decimals, as whole numbers of a power of ten. Sums and products round nothing, whatever their size; only a
 * quotient does, and says to how many decimals.
 */
export interface Decimal {
  /** The digits, with their sign. */
  readonly units: bigint;
  /** How many of the digits are decimals. */
  readonly scale: number;
}

export const zero: Decimal = { units: 0n, scale: 0 };

const pattern = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3}))?$/;

/** A decimal as people, venues and PostgreSQL write it; undefined for what is none, as `NaN` is, or `1e1000`. */
export function parseDecimal(text: string): Decimal | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = pattern.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  const units = sign === '-' ? -digits : digits;
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { units, scale } : { units: units * powerOfTen(-scale), scale: 0 };
}

/** As it is written, without zeros at its end; as PostgreSQL has it, `trim_scale(…)::text`. */
export function formatDecimal({ units, scale }: Decimal): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

export const negate = ({ units, scale }: Decimal): Decimal => ({ units: -units, scale });

export function add(a: Decimal, b: Decimal): Decimal {
  if (a.scale === b.scale) return { units: a.units + b.units, scale: a.scale };
  return a.scale > b.scale
    ? { units: a.units + b.units * powerOfTen(a.scale - b.scale), scale: a.scale }
    : { units: a.units * powerOfTen(b.scale - a.scale) + b.units, scale: b.scale };
}

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b));

export const multiply = (a: Decimal, b: Decimal): Decimal => ({
  units: a.units * b.units,
  scale: a.scale + b.scale,
});

/** `a / b` to so many decimals, halves away from zero, as numeric rounds. The divisor must not be zero. */
export function divide(a: Decimal, b: Decimal, scale: number): Decimal {
  const shift = scale + b.scale - a.scale;
  const dividend = shift >= 0 ? a.units * powerOfTen(shift) : a.units;
  const divisor = shift >= 0 ? b.units : b.units * powerOfTen(-shift);
  const isNegative = dividend < 0n !== divisor < 0n;
  const twice = 2n * (dividend < 0n ? -dividend : dividend);
  const positive = divisor < 0n ? -divisor : divisor;
  const rounded = (twice + positive) / (2n * positive);
  return { units: isNegative ? -rounded : rounded, scale };
}

/** -1, 0 or 1. */
export const signOf = ({ units }: Decimal): -1 | 0 | 1 => (units < 0n ? -1 : units > 0n ? 1 : 0);

/** Below zero, zero or above it, as `a` is below `b`, equal or above. */
export const compare = (a: Decimal, b: Decimal): -1 | 0 | 1 => signOf(subtract(a, b));

export const absolute = (a: Decimal): Decimal => (a.units < 0n ? negate(a) : a);

const powers: bigint[] = [];
/** Kept, because a sum of a million fills needs the same few. */
const powerOfTen = (exponent: number): bigint => (powers[exponent] ??= 10n ** BigInt(exponent));
