import { is, SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { type EncodedValue, type Encoder, encoderOf, invalidValue } from './encode.ts';
import { InvalidArgumentError } from './errors.ts';

/** A column that rows are inserted into. */
export interface InputColumn<K extends string = string> {
  /** As a row has it (`orderId`). */
  readonly key: K;
  /** As the database has it (`orderid`). */
  readonly name: string;
  /** Its SQL type. */
  readonly type: string;
  /** Its place in an encoded row. */
  readonly at: number;
  /** Its default, which a row that leaves it out gets: a value, or what only the server can say. */
  readonly fallback: EncodedValue | SQL;
}

/** The values of a row, in the order of the encoder's columns. What the row leaves out is undefined or absent. */
export type EncodedRow = readonly (EncodedValue | undefined)[];

/** Checks rows of one table, and takes them apart. */
export interface RowEncoder<K extends string> {
  /** In the order in which an encoded row holds its values. */
  readonly columns: readonly InputColumn<K>[];
  /** The column with a key. */
  column(key: K): InputColumn<K>;
  /** Checks the row at a position of the input. What no column could hold is refused, by its name and row. */
  encode(row: unknown, position: number): (EncodedValue | undefined)[];
}

/**
 * The encoder of some columns of a table. `core` are those that nearly every row has: they come first, and an encoded row
 * that has no others is no longer than that, so that of 100,000 rows that are held at once only the rare one pays for
 * the rare columns. `encoders` replaces what {@link encoderOf} gives for the type of a column. `keepsNull` tells a null
 * from what is left out; otherwise the two differ only where a column has a default.
 */
export function createRowEncoder<K extends string>(
  columns: Readonly<Record<K, PgColumn>>,
  options: {
    readonly core?: readonly NoInfer<K>[];
    readonly encoders?: Readonly<Partial<Record<NoInfer<K>, Encoder>>>;
    readonly keepsNull?: boolean;
  } = {},
): RowEncoder<K> {
  const all = Object.keys(columns) as K[];
  const { core = all, encoders = {} as Partial<Record<K, Encoder>>, keepsNull = false } = options;
  const keys = [...core, ...all.filter((key) => !core.includes(key))];
  const encodings = keys.map((key) => encoders[key] ?? encoderOf(columns[key]));
  const inputs = keys.map((key, at) => {
    const column = columns[key];
    const fallback = fallbackOf(column.default, key, encodings[at]);
    return { key, name: column.name, type: column.getSQLType(), at, fallback, isRequired: column.notNull };
  });
  const isNullKept = inputs.map(({ fallback }) => keepsNull || fallback !== null);
  const places = new Map<string, number>(keys.map((key, at) => [key, at]));
  const required = inputs.filter(({ isRequired }) => isRequired);
  const empty: readonly undefined[] = core.map(() => undefined);

  return {
    columns: inputs,
    column: (key) => {
      const found = inputs.find((input) => input.key === key);
      if (found === undefined) throw new TypeError(`there is no column ${key}`);
      return found;
    },
    encode: (row, position) => {
      if (typeof row !== 'object' || row === null) {
        throw new InvalidArgumentError(`row ${position} must be an object`);
      }
      const given = row as Readonly<Record<string, unknown>>;
      const encoded: (EncodedValue | undefined)[] = empty.slice();
      for (const key in given) {
        const at = places.get(key);
        // `orderid` instead of `orderId`, as a row of plain SQL has it, would silently lose the order.
        if (at === undefined) throw invalidValue(position, key, 'is not a column to insert');
        const value = given[key];
        if (value === undefined) continue;
        if (value !== null) encoded[at] = encodings[at]?.(value, position, key);
        else if (isNullKept[at]) encoded[at] = null;
      }
      for (const { at, key } of required) {
        if (encoded[at] === null || encoded[at] === undefined) {
          throw invalidValue(position, key, 'must be given');
        }
      }
      return encoded;
    },
  };
}

/** All of the rows, before anything is awaited: what the caller does with them meanwhile changes nothing. */
export function encodeRows<T>(rows: readonly unknown[], encode: (row: unknown, position: number) => T): T[] {
  if (!Array.isArray(rows)) throw new InvalidArgumentError('rows must be an array');
  // Not map, which passes over what is missing from a sparse array.
  return Array.from(rows, encode);
}

function fallbackOf(value: unknown, key: string, encode: Encoder | undefined): InputColumn['fallback'] {
  if (is(value, SQL)) return value;
  return value === undefined || value === null ? null : (encode?.(value, 0, key) ?? null);
}
