import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { arrayLiteral } from './arguments.ts';
import { type EncodedValue, type Encoder, encoderOf, invalidValue } from './encode.ts';
import { InvalidArgumentError } from './errors.ts';
import { joinSql } from './join-sql.ts';

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
}

/** The values of a row, in the order of the encoder's columns. What the row has none of is null or absent. */
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
 * the rare columns. `encoders` replaces what {@link encoderOf} gives for the type of a column.
 */
export function createRowEncoder<K extends string>(
  columns: Readonly<Record<K, PgColumn>>,
  options: {
    readonly core?: readonly NoInfer<K>[];
    readonly encoders?: Readonly<Partial<Record<NoInfer<K>, Encoder>>>;
  } = {},
): RowEncoder<K> {
  const all = Object.keys(columns) as K[];
  const { core = all, encoders = {} as Partial<Record<K, Encoder>> } = options;
  const keys = [...core, ...all.filter((key) => !core.includes(key))];
  const inputs = keys.map((key, at) => {
    const column = columns[key];
    return { key, name: column.name, type: column.getSQLType(), at, isRequired: column.notNull };
  });
  const encodings = keys.map((key) => encoders[key] ?? encoderOf(columns[key]));
  const places = new Map<string, number>(keys.map((key, at) => [key, at]));
  const required = inputs.filter(({ isRequired }) => isRequired);
  const empty: readonly null[] = core.map(() => null);

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
        if (value !== undefined && value !== null) {
          encoded[at] = encodings[at]?.(value, position, key) ?? null;
        }
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

/**
 * The values of some columns, as one array a column, by its name in the database: a statement has then the same text and
 * number of parameters however many rows there are.
 */
export function toArrays(
  columns: readonly InputColumn[],
  rows: readonly EncodedRow[],
): Record<string, string> {
  const arrays: Record<string, string> = {};
  for (const { name, at } of columns) arrays[name] = arrayLiteral(rows.map((values) => values[at] ?? null));
  return arrays;
}

/** The same arrays as rows again: `unnest($1::text::text[], …)`. */
export const unnestArrays = (
  columns: readonly InputColumn[],
  given: Readonly<Record<string, SQL | undefined>>,
): SQL =>
  sql`unnest(${joinSql(columns.map(({ name, type }) => sql`${given[name]}::text::${sql.raw(type)}[]`))})`;
