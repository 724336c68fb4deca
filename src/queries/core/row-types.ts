import type { InferInsertModel } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

type ColumnsOf<T extends PgTable> = T['_']['columns'];

/** How a column's type shows in its own type: by the name of its class in Drizzle 0.45, by what it holds in 1.0. */
interface Marks {
  readonly real: { columnType: 'PgReal' } | { dataType: 'number float' };
  readonly json: { columnType: 'PgJsonb' } | { dataType: 'object json' };
}

/** The keys of a table's columns of one type, read off the table: a new column is among them. */
export type KeysOfType<T extends PgTable, Type extends keyof Marks> = {
  [K in keyof ColumnsOf<T>]: ColumnsOf<T>[K]['_'] extends Marks[Type] ? K : never;
}[keyof ColumnsOf<T>];

type WithDecimals<Row, Decimals> = { [K in keyof Row]: K extends Decimals ? Row[K] | string : Row[K] };

/**
 * A row of a table as the insert functions take it: as Drizzle has it, but `real` columns are numbers or exact decimal
 * strings (`'0.1'`, `'1e-7'`), which PostgreSQL itself rounds to float4.
 */
export type RowInput<T extends PgTable> = WithDecimals<InferInsertModel<T>, KeysOfType<T, 'real'>>;
