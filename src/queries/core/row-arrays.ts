import { is, SQL, sql } from 'drizzle-orm';
import { arrayLiteral } from './arguments.ts';
import type { EncodedValue } from './encode.ts';
import { joinNames, joinSql, nameSql } from './join-sql.ts';
import type { EncodedRow, InputColumn } from './row-encoder.ts';

/** A column of the rows that are sent: one of the table's, or one that a statement needs beside them. */
export type SentColumn = Pick<InputColumn, 'name' | 'type'> & Partial<Pick<InputColumn, 'fallback'>>;

/** The array that says which rows give a column whose default only the server knows. */
const flagOf = (name: string): string => `${name} is given`;

/**
 * The values of some columns, as one array a column, by its name in the database: a statement has then the same text and
 * number of parameters however many rows there are. A row that leaves a column out gets the column's default, whatever
 * the other rows give.
 */
export function toArrays(
  columns: readonly InputColumn[],
  rows: readonly EncodedRow[],
): Record<string, string> {
  const arrays: Record<string, string> = {};
  for (const { name, at, fallback } of columns) {
    arrays[name] = arrayLiteral(rows.map((values) => orDefault(values[at], fallback)));
    if (is(fallback, SQL) && rows.some((values) => values[at] === undefined)) {
      arrays[flagOf(name)] = arrayLiteral(rows.map((values) => values[at] !== undefined));
    }
  }
  return arrays;
}

function orDefault(value: EncodedValue | undefined, fallback: InputColumn['fallback']): EncodedValue {
  if (value !== undefined) return value;
  return is(fallback, SQL) ? null : fallback;
}

/** The default of a column as SQL, for rows of which none gives the column. It comes from the schema, not from a caller. */
export function defaultOf({ type, fallback }: Pick<InputColumn, 'type' | 'fallback'>): SQL {
  if (is(fallback, SQL)) return sql`(${fallback})::${sql.raw(type)}`;
  if (fallback === null) return sql`null::${sql.raw(type)}`;
  const text = String(fallback).replaceAll("'", "''").replaceAll('\\', '\\\\');
  return sql.raw(`e'${text}'::${type}`);
}

/**
 * The same arrays as rows again, for `from`: `unnest($1::text::text[], …) with ordinality as "u" ("id", …, "ordinal")`.
 * `ordinal` is the place of each row, from 1.
 */
export function rowsOf(
  columns: readonly SentColumn[],
  given: Readonly<Record<string, SQL | undefined>>,
  alias: string,
): SQL {
  const flagged = columns.filter(({ name }) => given[flagOf(name)] !== undefined);
  const flags = flagged.map(({ name }) => ({ name: flagOf(name), type: 'boolean' }));
  const sent = [...columns, ...flags];
  const arrays = sent.map(({ name, type }) => sql`${given[name]}::text::${sql.raw(type)}[]`);
  const rows = (as: string) =>
    sql`unnest(${joinSql(arrays)}) with ordinality as ${nameSql(as)} (${joinNames([...sent, { name: 'ordinal' }])})`;
  if (flagged.length === 0) return rows(alias);
  const values = columns.map((column) =>
    flagged.includes(column) && is(column.fallback, SQL)
      ? sql`case when ${nameSql(flagOf(column.name))} then ${nameSql(column.name)} else ${column.fallback} end as ${nameSql(column.name)}`
      : nameSql(column.name),
  );
  return sql`(select ${joinSql(values)}, ordinal from ${rows('sent')}) as ${nameSql(alias)}`;
}
