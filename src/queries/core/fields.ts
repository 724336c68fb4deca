import { type Column, type GetColumnData, is, type SQL } from 'drizzle-orm';
import { PgBigInt53, PgBigInt64, type PgColumn } from 'drizzle-orm/pg-core';
import { toExactBigint } from '../../schema/exact-bigint.ts';

/** A column of the result that is computed: its SQL, and how a driver's value becomes what the type says. */
export interface Computed<T> {
  readonly expression: SQL;
  readonly decode: (value: unknown) => T;
}
/** The columns of a result, by the name they have in a row, in the order in which the statement selects them. */
export type Fields = Readonly<Record<string, PgColumn | Computed<unknown>>>;
/** A row of such a result. */
export type Row<F extends Fields> = {
  [K in keyof F]: F[K] extends Column ? GetColumnData<F[K]> : F[K] extends Computed<infer T> ? T : never;
};

/** All drivers give a 64-bit integer as text or as whatever holds it; what else they give is what the schema says. */
export function createRowMapper<F extends Fields>(fields: F): (rows: unknown[][]) => Row<F>[] {
  const names = Object.keys(fields);
  const decoders = Object.values(fields).map((field) => {
    if ('decode' in field) return field.decode;
    const column: PgColumn = field;
    if (is(column, PgBigInt53)) return Number;
    // Refuses what a parser of a service has made a rounded number of.
    if (is(column, PgBigInt64)) return (value: unknown) => toExactBigint(column.name, value);
    return undefined;
  });
  const count = names.length;
  return (rows) =>
    rows.map((values) => {
      const row: Record<string, unknown> = {};
      for (let i = 0; i < count; i++) {
        const value = values[i];
        const decode = decoders[i];
        row[names[i] as string] = decode === undefined || value === null ? value : decode(value);
      }
      return row as Row<F>;
    });
}
