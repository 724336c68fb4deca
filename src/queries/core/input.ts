import { is, type SQL, sql } from 'drizzle-orm';
import { PgBigInt53, PgBoolean, type PgColumn, PgInteger, PgJsonb, PgReal } from 'drizzle-orm/pg-core';
import { arrayLiteral, checkBoolean, checkInteger, checkText } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';

type Columns = Readonly<Record<string, PgColumn>>;

/**
 * Rows to insert, as one array a column: a statement has then the same text and number of parameters however many rows
 * there are. What the caller left out is null. What no column could hold is refused, by its name and row.
 */
export function toColumnArrays<C extends Columns>(
  columns: C,
  rows: readonly Readonly<Record<string, unknown>>[],
): Record<keyof C & string, string> {
  const arrays: Record<string, string> = {};
  rows.forEach((row, i) => {
    for (const key in row) {
      if (!(key in columns)) throw new InvalidArgumentError(`row ${i}: there is no column ${key} to insert`);
    }
  });
  for (const key in columns) {
    const column = columns[key];
    if (column !== undefined) {
      arrays[key] = arrayLiteral(rows.map((row, i) => encode(`row ${i}: ${key}`, column, row[key])));
    }
  }
  return arrays as Record<keyof C & string, string>;
}

/** The same arrays as rows again: `unnest($1::text::text[], …) as alias ("id", …)`, in the order of the columns. */
export function unnestColumns<C extends Columns>(
  columns: C,
  given: Readonly<Record<keyof C & string, SQL>>,
  alias: string,
): SQL {
  const arrays: SQL[] = [];
  const names: SQL[] = [];
  for (const key in columns) {
    const column = columns[key];
    if (column === undefined) continue;
    arrays.push(sql`${given[key]}::text::${sql.raw(column.getSQLType())}[]`);
    names.push(sql`${sql.identifier(column.name)}`);
  }
  return sql`unnest(${sql.join(arrays, sql`, `)}) as ${sql.identifier(alias)} (${sql.join(names, sql`, `)})`;
}

function encode(name: string, column: PgColumn, value: unknown): string | number | bigint | boolean | null {
  if (value === undefined || value === null) {
    if (column.notNull) throw new InvalidArgumentError(`${name} must be given`);
    return null;
  }
  if (is(column, PgJsonb)) return checkText(name, JSON.stringify(value));
  if (is(column, PgBoolean)) return checkBoolean(name, value);
  if (is(column, PgBigInt53)) return checkInteger(name, value);
  if (is(column, PgInteger)) return checkInteger(name, value, int4);
  if (is(column, PgReal)) {
    if (typeof value === 'number' && fitsReal(value)) return value;
    throw new InvalidArgumentError(`${name} must be a number in the range of real (about 1e-45 to 3e38)`);
  }
  return checkText(name, value);
}

/** PostgreSQL refuses what overflows `real`, and what would become zero in it. */
function fitsReal(value: number): boolean {
  const stored = Math.fround(value);
  return Number.isFinite(stored) && (stored !== 0 || value === 0);
}

const int4 = { min: -2_147_483_648, max: 2_147_483_647 };
