import { getTableColumns, is } from 'drizzle-orm';
import { PgJsonb, PgReal, type PgTable, PgText } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { isStorableText, unstorable } from '../queries/core/arguments.ts';
import { decimalPattern, fitsReal, outOfReal } from '../queries/core/encode.ts';
import type { KeysOfType } from '../queries/core/row-types.ts';

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

/** A JSON document that `jsonb` takes. */
const jsonSchema = z.json().refine((value) => isStorableJson(value), { error: `holds ${unstorable}` });

type Decimals<T extends PgTable> = {
  [K in KeysOfType<T, 'real'>]: T['_']['columns'][K]['_']['notNull'] extends true
    ? typeof decimalSchema
    : z.ZodOptional<z.ZodNullable<typeof decimalSchema>>;
};

/**
 * What drizzle-zod lets through and the database would refuse, and the other way round: drizzle-zod knows no decimal
 * strings, and limits `real` to 24-bit integers, less than a bitcoin costs in Korean won. The type names the decimals
 * alone: text and JSON stay of the kind that drizzle-zod infers.
 */
export function refineForPostgres<T extends PgTable>(table: T): Decimals<T> {
  const refinements: Record<string, z.ZodType> = {};
  for (const [key, column] of Object.entries(getTableColumns(table))) {
    if (is(column, PgText)) refinements[key] = textSchema;
    if (is(column, PgReal)) refinements[key] = decimalSchema;
    if (is(column, PgJsonb)) refinements[key] = jsonSchema;
    // Given as a schema, drizzle-zod takes it as it is, the null that the column allows included.
    if (refinements[key] && !column.notNull) refinements[key] = refinements[key].nullable().optional();
  }
  return refinements as Decimals<T>;
}

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (Array.isArray(value)) return value.every(isStorableJson);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isStorableText(key) && isStorableJson(inner));
}
