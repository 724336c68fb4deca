import { getTableColumns, is } from 'drizzle-orm';
import { PgJsonb, PgReal, type PgTable, PgText } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { decimalPattern } from '../queries/fills/fill-input.ts';

/** Text that PostgreSQL stores as it is: without U+0000, and without half a surrogate pair. */
export const textSchema = z.string().refine(isStorableText, {
  error: 'holds a character that PostgreSQL cannot store (U+0000, or half of a surrogate pair)',
});

/** A number that fits `real`: finite, and neither too large for it nor so small that it would become zero. */
const realSchema = z
  .number()
  .refine(isFloat4, { error: 'is out of the range of real (about 1e-45 to 3e38)' });

/** The same as a number or as an exact decimal string, which PostgreSQL itself rounds to `real`. */
export const decimalSchema = z.union([
  realSchema,
  z
    .string()
    .regex(decimalPattern)
    .refine((text) => isFloat4(Number(text)), { error: 'is out of the range of real (about 1e-45 to 3e38)' }),
]);

/** A JSON document that `jsonb` takes. */
const jsonSchema = z.json().refine((value) => isStorableJson(value), {
  error: 'holds a character that PostgreSQL cannot store (U+0000, or half of a surrogate pair)',
});

/**
 * What drizzle-zod lets through and the database would refuse, and the other way round: drizzle-zod limits `real` to
 * 24-bit integers, less than a bitcoin costs in Korean won. Kinds of schema, and so the inferred types, stay as they are.
 */
export function refineForPostgres(table: PgTable): Record<never, never> {
  const refinements: Record<string, z.ZodType> = {};
  for (const [key, column] of Object.entries(getTableColumns(table))) {
    if (is(column, PgText)) refinements[key] = textSchema;
    if (is(column, PgReal)) refinements[key] = realSchema;
    if (is(column, PgJsonb)) refinements[key] = jsonSchema;
    // Given as a schema, drizzle-zod takes it as it is, the null that the column allows included.
    if (refinements[key] && !column.notNull) refinements[key] = refinements[key].nullable().optional();
  }
  return refinements;
}

function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

function isFloat4(value: number): boolean {
  const stored = Math.fround(value);
  return Number.isFinite(stored) && (stored !== 0 || value === 0);
}

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (Array.isArray(value)) return value.every(isStorableJson);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isStorableText(key) && isStorableJson(inner));
}
