import { getTableColumns, is } from 'drizzle-orm';
import {
  PgBigInt53,
  PgBigInt64,
  PgBoolean,
  PgInteger,
  PgJsonb,
  PgReal,
  type PgTable,
  PgText,
} from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { isStorableText, maxInt4, unstorable } from '../queries/core/arguments.ts';
import { decimalPattern, fitsReal, outOfReal } from '../queries/core/encode.ts';
import type { RowInput } from '../queries/core/row-types.ts';

/** Text that PostgreSQL stores as it is: without U+0000, and without half a surrogate pair. */
export const textSchema = z.string().refine(isStorableText, { error: `holds ${unstorable}` });

/**
 * A decimal for `real`, as a number or as an exact decimal string, which PostgreSQL itself rounds: finite, and neither
 * too large for it nor so small that it would become zero.
 */
export const decimalSchema = z.union([
  z.number().refine(fitsReal, { error: outOfReal }),
  z.string().regex(decimalPattern).refine(fitsReal, { error: outOfReal }),
]);

/** A 64-bit integer. */
export const int64Schema = z
  .bigint()
  .min(-(2n ** 63n))
  .max(2n ** 63n - 1n);

/** A JSON document that `jsonb` takes. */
const jsonSchema = z.json().refine((value) => isStorableJson(value), { error: `holds ${unstorable}` });

/** What a column takes, by its type. */
const schemas = [
  [PgText, textSchema],
  [PgReal, decimalSchema],
  [PgJsonb, jsonSchema],
  [PgBoolean, z.boolean()],
  [
    PgInteger,
    z
      .int()
      .min(-maxInt4 - 1)
      .max(maxInt4),
  ],
  [PgBigInt53, z.int()],
  [PgBigInt64, int64Schema],
] as const;

/** The schemas of a row, by key: those that the insert functions need, and the rest, which may be null or missing. */
export type RowShape<Row> = {
  [K in keyof Row]-?: undefined extends Row[K]
    ? z.ZodOptional<z.ZodNullable<z.ZodType<NonNullable<Row[K]>, NonNullable<Row[K]>>>>
    : z.ZodType<Row[K], Row[K]>;
};

/**
 * The shape of a row to insert, read off the table: a new column is in it. It is made here and not by drizzle-zod (or
 * `drizzle-orm/zod`, as it is called since 1.0), because hardly a column would be left as they have it: they let through
 * text and JSON that the database refuses, know no decimal strings, and limit `real` to 24-bit integers, less than a
 * bitcoin costs in Korean won.
 */
export function rowShape<T extends PgTable>(table: T): RowShape<RowInput<T>> {
  const shape: Record<string, z.ZodType> = {};
  for (const [key, column] of Object.entries(getTableColumns(table))) {
    const found = schemas.find(([type]) => is(column, type));
    if (found === undefined) {
      throw new TypeError(
        `column ${column.name}: no schema for ${column.getSQLType()}; add one to storable.ts`,
      );
    }
    shape[key] = column.notNull ? found[1] : found[1].nullable().optional();
  }
  return shape as RowShape<RowInput<T>>;
}

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (Array.isArray(value)) return value.every(isStorableJson);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isStorableText(key) && isStorableJson(inner));
}
