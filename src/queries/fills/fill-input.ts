import { getTableColumns, is } from 'drizzle-orm';
import { PgBigInt53, PgBigInt64, PgJsonb, PgReal } from 'drizzle-orm/pg-core';
import { fills, type NewFill } from '../../schema/index.ts';
import { checkInteger, checkText } from '../core/arguments.ts';
import { InvalidArgumentError } from '../core/errors.ts';

type DecimalColumn = 'size' | 'amount' | 'price' | 'fee' | 'feeAmount' | 'cost' | 'quantity';

/**
 * A fill to insert: the columns of `fills`, of which only `id` must be given.
 *
 * Prices, sizes and fees are numbers or exact decimal strings (`'0.1'`, `'1e-7'`), which PostgreSQL itself rounds to the
 * column's float4. `tradeId` is the venue's id of the execution in whatever form it comes: a 64-bit integer is stored in
 * `tradeid`, any other text (UUID, hex, …) in `execid`. Give it there, or give `execId`; both only if they agree.
 */
export type FillInput = Omit<NewFill, DecimalColumn | 'tradeId'> & {
  readonly [K in DecimalColumn]?: number | string | null | undefined;
} & { readonly tradeId?: bigint | number | string | null | undefined };

/** A value as it stands in the array of its column. */
export type EncodedValue = string | number | null;
/** The values of a fill, in the order of `fillColumns`. */
export type EncodedFill = readonly (EncodedValue | undefined)[];

type Encoder = (value: unknown, position: number, key: string) => EncodedValue;

/** What nearly every fill has. */
const core: readonly string[] = 'id sessionId orderId symbol side price size timestamp tradeId'.split(' ');
/** How many columns that is: so many values has an encoded fill that has no others. */
export const coreCount = core.length;

/** The columns of `fills`, in the order in which encoded fills hold them: `id`, the rest of the core, the rarer ones. */
export const fillColumns = Object.entries(getTableColumns(fills))
  .map(([key, column]) => ({
    key: key as keyof NewFill,
    name: column.name,
    type: column.getSQLType(),
    encode: encoderOf(column),
  }))
  .sort((a, b) => rankOf(a.key) - rankOf(b.key));

function rankOf(key: string): number {
  const rank = core.indexOf(key);
  return rank === -1 ? coreCount : rank;
}

const positionOf = new Map<string, number>(fillColumns.map(({ key }, at) => [key, at]));
const tradeIdAt = positionOf.get('tradeId') ?? -1;
const execIdAt = positionOf.get('execId') ?? -1;
const empty: readonly null[] = core.map(() => null);

/**
 * Checks the fill at a position of the input, and turns it into its values, in the order of `fillColumns`. What it has
 * none of is null or absent: of 100,000 fills that are held at once, only the rare one pays for the rare columns.
 */
export function encodeFill(fill: FillInput, position: number): EncodedFill {
  if (typeof fill !== 'object' || fill === null) {
    throw new InvalidArgumentError(`row ${position} must be an object`);
  }
  const encoded: (EncodedValue | undefined)[] = empty.slice();
  let key: keyof FillInput;
  for (key in fill) {
    const value: unknown = fill[key];
    const at = positionOf.get(key);
    if (at !== undefined && value !== undefined && value !== null) {
      encoded[at] = fillColumns[at]?.encode(value, position, key) ?? null;
    } else if (at === undefined) {
      // `orderid` instead of `orderId`, as a row of plain SQL has it, would lose the order without a word.
      throw invalid(position, key, 'is no column of a fill');
    }
  }
  if (encoded[0] === null || encoded[0] === '')
    throw invalid(position, 'id', 'must be text that is not empty');
  return placeVenueId(encoded, position);
}

/** The venue's id goes where it fits: an integer to `tradeid`, text to `execid`. */
function placeVenueId(encoded: (EncodedValue | undefined)[], position: number): EncodedFill {
  const tradeId = encoded[tradeIdAt] ?? null;
  const execId = encoded[execIdAt] ?? null;
  // It would hide a trade id that is there.
  if (execId === '') throw invalid(position, 'execId', 'must not be empty');
  if (tradeId === null) return encoded;
  if (execId !== null && execId !== tradeId) {
    throw invalid(position, 'execId', 'is not the tradeId; an execution has one id at its venue');
  }
  const isInteger = isInt64(String(tradeId));
  encoded[tradeIdAt] = isInteger ? tradeId : null;
  if (execId !== null || !isInteger) encoded[execIdAt] = isInteger ? null : tradeId;
  return encoded;
}

/** Whether bigint would give back the same text: `007` and `+7` are not integers here. */
function isInt64(text: string): boolean {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return false;
  return text.length <= 18 || String(BigInt.asIntN(64, BigInt(text))) === text;
}

function invalid(position: number, key: string, fault: string): InvalidArgumentError {
  return new InvalidArgumentError(`row ${position}: ${key} ${fault}`);
}

function encoderOf(column: unknown): Encoder {
  if (is(column, PgReal)) return encodeDecimal;
  if (is(column, PgBigInt53)) return encodeInteger;
  if (is(column, PgBigInt64)) return encodeTradeId;
  return is(column, PgJsonb) ? encodeJson : encodeText;
}

function encodeText(value: unknown, position: number, key: string): string {
  // Most text is plain; its name in an error is made for the rest.
  if (typeof value === 'string' && /^[ -~]*$/.test(value)) return value;
  return checkText(`row ${position}: ${key}`, value);
}

function encodeInteger(value: unknown, position: number, key: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  return checkInteger(`row ${position}: ${key}`, value);
}

/** A decimal as text, as venues send it. */
export const decimalPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function encodeDecimal(value: unknown, position: number, key: string): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !decimalPattern.test(text)) {
    throw invalid(position, key, 'must be a finite number or a decimal string');
  }
  const stored = Math.fround(Number(text));
  if (!Number.isFinite(stored) || (stored === 0 && /[1-9]/.test(text.replace(/e.*/i, '')))) {
    throw invalid(position, key, 'is out of the range of float4, about 1e-45 to 3.4e38');
  }
  return text;
}

function encodeTradeId(value: unknown, position: number, key: string): string {
  if (typeof value === 'string' && value !== '') return encodeText(value, position, key);
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return String(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw invalid(
    position,
    key,
    'must be a 64-bit bigint, an integer up to 2^53 - 1, or text that is not empty',
  );
}

function encodeJson(value: unknown, position: number, key: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A bigint or a cycle: refused below, together with what JSON has no word for.
  }
  if (text === undefined) throw invalid(position, key, 'cannot be written as JSON');
  return text;
}
