import { type SQL, sql } from 'drizzle-orm';

/**
 * Price and size of a fill as exact numerics. `real::numeric` would round to six digits; the text of a real is the
 * shortest decimal that stands for it, and numeric takes that as it is.
 */
export const tradeColumns = sql`
    price::text::numeric as price,
    coalesce(size, amount, quantity)::text::numeric as size`;

/** Neither is missing, infinite or NaN, which is above all numbers. */
export const isTraded = sql`
      coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)`;

/** A quotient to 40 decimals; null where the divisor is zero. Numeric division keeps the decimals of its dividend. */
export const quotient = (dividend: SQL, divisor: SQL): SQL =>
  sql`round(${dividend}, 40) / nullif(${divisor}, 0)`;

/** A decimal as it is written, without zeros at its end. */
export const toText = (expression: SQL): SQL => sql`trim_scale(${expression})::text`;
