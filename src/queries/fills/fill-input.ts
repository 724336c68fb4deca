import { getTableColumns } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { fills } from '../../schema/index.ts';
import { type EncodedValue, encodeText, invalidValue } from '../core/encode.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { createRowEncoder, type EncodedRow, type InputColumn, type RowEncoder } from '../core/row-encoder.ts';
import type { RowInput } from '../core/row-types.ts';

/**
 * A fill to insert: the columns of `fills`, of which only `id` must be given.
 *
 * Prices, sizes and fees are numbers or exact decimal strings (`'0.1'`, `'1e-7'`), which PostgreSQL itself rounds to the
 * column's float4. `tradeId` is the venue's id of the execution in whatever form it comes: a 64-bit integer is stored in
 * `tradeid`, any other text (UUID, hex, …) in `execid`. Give it there, or give `execId`; both only if they agree.
 */
export type FillInput = Omit<RowInput<typeof fills>, 'tradeId'> & {
  readonly tradeId?: bigint | number | string | null | undefined;
};

type FillColumnKey = keyof typeof fills._.columns;
export type FillColumn = InputColumn<FillColumnKey>;

/** What nearly every fill has. The id stands first. */
const core: readonly FillColumnKey[] = [
  'id',
  'sessionId',
  'orderId',
  'symbol',
  'side',
  'price',
  'size',
  'timestamp',
  'tradeId',
];
/** How many columns that is: so many values has an encoded fill that has no others. */
export const coreCount = core.length;

/** The encoder of fills, over the columns of `fills`. `keepsNull` as {@link createRowEncoder} has it. */
export function createFillEncoder(
  columns: Readonly<Record<FillColumnKey, PgColumn>>,
  { keepsNull = false } = {},
): RowEncoder<FillColumnKey> {
  const encoder = createRowEncoder(columns, { core, keepsNull, encoders: { tradeId: encodeTradeId } });
  const tradeIdAt = encoder.column('tradeId').at;
  const execIdAt = encoder.column('execId').at;

  /** The venue's id goes where it fits: an integer to `tradeid`, text to `execid`. */
  const placeVenueId = (encoded: (EncodedValue | undefined)[], position: number) => {
    const tradeId = encoded[tradeIdAt] ?? null;
    const execId = encoded[execIdAt] ?? null;
    // It would hide a trade id that is there.
    if (execId === '') throw invalidValue(position, 'execId', 'must not be empty');
    if (tradeId === null) return encoded;
    if (execId !== null && execId !== tradeId) {
      throw invalidValue(position, 'execId', 'is not the tradeId; an execution has one id at its venue');
    }
    const isInteger = isInt64(String(tradeId));
    encoded[tradeIdAt] = isInteger ? tradeId : null;
    if (execId !== null || !isInteger) encoded[execIdAt] = isInteger ? null : tradeId;
    return encoded;
  };

  return {
    ...encoder,
    encode: (fill, position) => {
      const encoded = encoder.encode(fill, position);
      if (encoded[0] === '') throw invalidValue(position, 'id', 'must not be empty');
      return placeVenueId(encoded, position);
    },
  };
}

const encoder = createFillEncoder(getTableColumns(fills));

/** The columns of `fills`, in the order in which encoded fills hold them: `id`, the rest of the core, the rarer ones. */
export const fillColumns: readonly FillColumn[] = encoder.columns;

/** Checks the fill at a position of the input, and turns it into its values, in the order of `fillColumns`. */
export const encodeFill: (fill: unknown, position: number) => EncodedRow = encoder.encode;

const correctionEncoder = createFillEncoder(getTableColumns(fills), { keepsNull: true });
const tradeIdAt = correctionEncoder.column('tradeId').at;
const execIdAt = correctionEncoder.column('execId').at;

/** Checks what is to change of a fill, and turns it into values: null where null is to be stored. */
export function encodeCorrection(set: unknown): EncodedRow {
  if (Object.prototype.toString.call(set) !== '[object Object]') {
    throw new InvalidArgumentError('set must be an object of columns');
  }
  if (Object.hasOwn(Object(set), 'id')) throw new InvalidArgumentError('set: id is what a fill is known by');
  const encoded = [...withoutRow(() => correctionEncoder.encode({ ...Object(set), id: 'any' }, 0))];
  // One id, in one of two places: what is in the other would hide it, or be left over.
  const isGiven = encoded[tradeIdAt] !== undefined || encoded[execIdAt] !== undefined;
  if (isGiven) {
    encoded[tradeIdAt] ??= null;
    encoded[execIdAt] ??= null;
  }
  return encoded;
}

/** There is one row: its place says nothing. */
function withoutRow<T>(encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(error.message.replace(/^row 0/, 'set'));
  }
}

/** The venue's id as text, in whatever form it comes. */
function encodeTradeId(value: unknown, position: number, key: string): string {
  if (typeof value === 'string' && value !== '') return encodeText(value, position, key);
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return String(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw invalidValue(
    position,
    key,
    'must be a 64-bit bigint, an integer up to 2^53 - 1, or text that is not empty',
  );
}

/** Whether bigint would give back the same text: `007` and `+7` are not integers here. */
function isInt64(text: string): boolean {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return false;
  return text.length <= 18 || String(BigInt.asIntN(64, BigInt(text))) === text;
}
