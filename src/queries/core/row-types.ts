import type { PgTable } from 'drizzle-orm/pg-core';

type ColumnsOf<T extends PgTable> = T['_']['columns'];

/** The keys of a table's columns of one Drizzle type (`'PgReal'`, …), read off the table: a new column is among them. */
export type KeysOfType<T extends PgTable, Type extends string> = {
  [K in keyof ColumnsOf<T>]: ColumnsOf<T>[K]['_']['columnType'] extends Type ? K : never;
}[keyof ColumnsOf<T>];

type WithDecimals<Row, Decimals> = { [K in keyof Row]: K extends Decimals ? Row[K] | string : Row[K] };

/**
 * A row of a table as the insert functions take it: as Drizzle has it, but `real` columns are numbers or exact decimal
 * strings (`'0.1'`, `'1e-7'`), which PostgreSQL itself rounds to float4.
 */
export type RowInput<T extends PgTable> = WithDecimals<T['$inferInsert'], KeysOfType<T, 'PgReal'>>;
