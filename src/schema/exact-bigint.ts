import { type ColumnBaseConfig, type ColumnBuilderBaseConfig, entityKind } from 'drizzle-orm';
import {
  PgBigInt64,
  PgBigInt64Builder,
  type PgBigInt64BuilderInitial,
  type PgTable,
} from 'drizzle-orm/pg-core';

type Config = ColumnBaseConfig<'bigint', 'PgBigInt64'>;

/** A 64-bit integer came as a JavaScript number above 2^53: its last digits are lost, and nobody can say what they were. */
export class RoundedIntegerError extends RangeError {
  override readonly name = 'RoundedIntegerError';

  constructor(column: string) {
    super(
      `column ${column}: a 64-bit integer came as a JavaScript number, and has lost its last digits. In a relational query ` +
        'Drizzle sends the rows of `with` as JSON: leave the column out there (columns: { tradeId: false }) and ask for ' +
        `its text (extras: (fill, { sql }) => ({ tradeIdText: sql\`\${fill.tradeId}::text\`.as('trade_id_text') })), or ` +
        'read them with listFills or db.select(). In any other query a parser of the driver makes numbers of int8 (type 20).',
    );
  }
}

/** `bigint` in the mode `bigint`, where a number that can't be exact is refused. */
class ExactBigInt64 extends PgBigInt64<Config> {
  static override readonly [entityKind]: string = 'ExactBigInt64';

  /** Text, bigints and numbers up to 2^53 - 1 are exact, whatever they came through. */
  override mapFromDriverValue(value: string | number | bigint): bigint {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RoundedIntegerError(this.name);
    return BigInt(value);
  }
}

class ExactBigInt64Builder<
  T extends ColumnBuilderBaseConfig<'bigint', 'PgBigInt64'>,
> extends PgBigInt64Builder<T> {
  static override readonly [entityKind]: string = 'ExactBigInt64Builder';

  /** Drizzle calls it when the table is made; its types do not show it. */
  build(table: PgTable): ExactBigInt64 {
    return new ExactBigInt64(table, this.config);
  }
}

/**
 * A 64-bit integer as a JavaScript bigint, as `bigint(name, { mode: 'bigint' })` is, to Drizzle, drizzle-kit and
 * drizzle-zod. But of 9223372036854775807 below a `with` of a relational query, which has come through JSON and is
 * a rounded number by then, Drizzle would make 9223372036854775808n; this says so instead.
 */
export function exactBigint<Name extends string>(name: Name): PgBigInt64BuilderInitial<Name> {
  return new ExactBigInt64Builder(name);
}
