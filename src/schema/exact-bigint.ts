import { bigint, type PgColumn } from 'drizzle-orm/pg-core';

/** A 64-bit integer came as a JavaScript number above 2^53: its last digits are lost, and nobody can say what they were. */
export class RoundedIntegerError extends RangeError {
  override readonly name = 'RoundedIntegerError';

  constructor(column: string) {
    super(
      `column ${column}: a 64-bit integer came as a JavaScript number, and has lost its last digits. In a relational query ` +
        'Drizzle 0.45 sends the rows of `with` as JSON: leave the column out there (columns: { tradeId: false }) and ask for ' +
        `its text (extras: (fill, { sql }) => ({ tradeIdText: sql\`\${fill.tradeId}::text\`.as('trade_id_text') })), or ` +
        'read them with listFills or db.select(). In any other query a parser of the driver makes numbers of int8 (type 20).',
    );
  }
}

/** A value of a driver as a bigint. Text, bigints and numbers up to 2^53 - 1 are exact, whatever they came through. */
export function toExactBigint(column: string, value: unknown): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RoundedIntegerError(column);
  return BigInt(String(value));
}

/**
 * A 64-bit integer as a JavaScript bigint, as `bigint(name, { mode: 'bigint' })` is, to Drizzle and drizzle-kit. But where 9223372036854775807 has become a rounded number on its way (in Drizzle 0.45 all that is below a
 * `with` of a relational query comes through JSON), Drizzle would make 9223372036854775808n; this says so instead.
 */
export function exactBigint<Name extends string>(name: Name) {
  const builder = bigint(name, { mode: 'bigint' });
  // Drizzle calls it when the table is made; its types do not show it.
  const build: unknown = Reflect.get(builder, 'build');
  if (typeof build !== 'function') throw new TypeError('a column of this release of Drizzle has no build');
  Object.assign(builder, {
    build: (table: unknown): PgColumn =>
      Object.assign(build.call(builder, table), {
        // Drizzle 1.0 makes bigints by what the column says it is, before it asks the column: of a rounded number, too.
        codec: 'bigint:string',
        mapFromDriverValue: (value: unknown) => toExactBigint(name, value),
      }),
  });
  return builder;
}
