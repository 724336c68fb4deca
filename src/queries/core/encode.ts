import { is } from 'drizzle-orm';
import {
  PgBigInt53,
  PgBigInt64,
  PgBoolean,
  type PgColumn,
  PgInteger,
  PgJsonb,
  PgReal,
  PgText,
} from 'drizzle-orm/pg-core';
import { checkBoolean, checkInteger, checkText, maxInt4, unstorable } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';

/** A value as it stands in the array of its column. */
export type EncodedValue = string | number | boolean | null;

/** Checks a value of a column, one that is neither null nor undefined, and gives what is sent for it. */
export type Encoder = (value: unknown, row: number, key: string) => EncodedValue;

/** How the values of a column are checked and written: by its type alone. */
export function encoderOf(column: PgColumn): Encoder {
  const found = encoders.find(([type]) => is(column, type));
  if (found !== undefined) return found[1];
  throw new TypeError(
    `column ${column.name}: no encoder writes ${column.getSQLType()}; add one to encode.ts`,
  );
}

/** The error of one value: it names the row and the column, and never quotes the value. */
export function invalidValue(row: number, key: string, fault: string): InvalidArgumentError {
  return new InvalidArgumentError(`${nameOf(row, key)} ${fault}`);
}

const nameOf = (row: number, key: string): string => `row ${row}: ${key}`;

export function encodeText(value: unknown, row: number, key: string): string {
  // Most text is plain; its name in an error is made for the rest.
  if (typeof value === 'string' && /^[ -~]*$/.test(value)) return value;
  return checkText(nameOf(row, key), value);
}

function encodeInteger(value: unknown, row: number, key: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  return checkInteger(nameOf(row, key), value);
}

function encodeInt4(value: unknown, row: number, key: string): number {
  return checkInteger(nameOf(row, key), value, { min: -maxInt4 - 1, max: maxInt4 });
}

function encodeBigint(value: unknown, row: number, key: string): string {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return String(value);
  throw invalidValue(row, key, 'must be a bigint of 64 bits');
}

function encodeBoolean(value: unknown, row: number, key: string): boolean {
  return checkBoolean(nameOf(row, key), value);
}

/** A decimal as text, as venues send it. */
export const decimalPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** What `fitsReal` refuses. */
export const outOfReal = 'is out of the range of real (about 1e-45 to 3.4e38)';

/** PostgreSQL refuses a decimal that overflows `real`, and one that would become zero in it. */
export function fitsReal(decimal: number | string): boolean {
  const stored = Math.fround(Number(decimal));
  return Number.isFinite(stored) && (stored !== 0 || !/[1-9]/.test(String(decimal).replace(/e.*/i, '')));
}

/** As text, a number too: only PostgreSQL rounds, and what is text goes into an array fastest. */
function encodeDecimal(value: unknown, row: number, key: string): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !decimalPattern.test(text)) {
    throw invalidValue(row, key, 'must be a finite number or a decimal string');
  }
  if (!fitsReal(text)) throw invalidValue(row, key, outOfReal);
  return text;
}

/** U+0000 or half of a surrogate pair, as `JSON.stringify` writes them. The backslash before `u` is not itself escaped. */
const unstorableEscape = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][\da-f]{2})/;

export function encodeJson(value: unknown, row: number, key: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A bigint or a cycle: refused below, together with what JSON has no word for.
  }
  if (text === undefined) throw invalidValue(row, key, "can't be written as JSON");
  if (text.includes('\\u') && unstorableEscape.test(text))
    throw invalidValue(row, key, `holds ${unstorable}`);
  return text;
}

const encoders = [
  [PgText, encodeText],
  [PgReal, encodeDecimal],
  [PgBigInt53, encodeInteger],
  [PgInteger, encodeInt4],
  [PgBigInt64, encodeBigint],
  [PgBoolean, encodeBoolean],
  [PgJsonb, encodeJson],
] as const;
