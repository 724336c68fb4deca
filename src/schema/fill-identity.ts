/** One part of what makes two rows of `fills` the same execution. */
export interface FillIdentityPart {
  /** Columns as SQL; the first that is not null counts. */
  readonly columns: readonly [string, ...string[]];
  /** `SELL` and `sell` are one. */
  readonly ignoresCase?: true;
  /** A missing value is equal to another missing one. Without it null is never equal to null. */
  readonly nullIsEqual?: true;
}

/**
 * What makes two rows of `fills` the same execution, in the order of the key of `idx_fills_unique_dedup`. The only place
 * that lists it: the index, the statements that ask what the index would say and the order of `insertFills` are all made
 * from it.
 *
 * A null timestamp or price is never equal to another one: such a row can't be identified, so it is never a duplicate.
 * Without the side a buy and a sell of one moment are one, and one of the two is lost. The venue's id stands last;
 * without it one fill in seven of a real tape is swallowed, because one taker order eats equal resting orders in one
 * millisecond.
 *
 * Plain data in a file of its own: the command line asks with it, and starts in two thirds of the time without Drizzle.
 */
export const fillIdentityParts: readonly [FillIdentityPart, ...FillIdentityPart[]] = [
  { columns: ['sessionid'], nullIsEqual: true },
  { columns: ['orderid'], nullIsEqual: true },
  { columns: ['symbol'] },
  { columns: ['side'], ignoresCase: true, nullIsEqual: true },
  { columns: ['"timestamp"'] },
  { columns: ['price'] },
  { columns: ['size', 'amount'] },
  { columns: ['execid', 'tradeid::text'], nullIsEqual: true },
];

/** A part as SQL over the columns of `fills`, as the index has it: `coalesce(lower(side), '')`. */
export function identityKeyOf({ columns, ignoresCase, nullIsEqual }: FillIdentityPart): string {
  const values = columns.map((column) => (ignoresCase ? `lower(${column})` : column));
  if (nullIsEqual) values.push("''");
  return values.length === 1 ? values.join() : `coalesce(${values.join(', ')})`;
}

/** All of them. */
export const fillIdentityKeys: readonly string[] = fillIdentityParts.map(identityKeyOf);

/** The names of the columns that a part reads: `execid` and `tradeid`. */
export const columnNamesOf = ({ columns }: FillIdentityPart): string[] =>
  columns.map((column) => column.replace(/"|::.*/g, ''));
