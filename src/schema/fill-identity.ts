/**
 * What makes two rows of `fills` the same execution: the key of `idx_fills_unique_dedup`, in its order, as SQL over
 * the columns of `fills`. The index is built from it and so is every statement that asks what the index would say.
 *
 * `COALESCE` makes a missing session or order equal to another missing one. A null timestamp or price stays null, and
 * null is never equal to null: such a row can't be identified, so it is never a duplicate. The venue's id stands last;
 * without it one fill in seven of a real tape is swallowed, because one taker order eats equal resting orders in one
 * millisecond.
 *
 * Plain text in a file of its own: the command line asks with it, and starts in two thirds of the time without Drizzle.
 */
export const fillIdentityKeys = [
  `coalesce(sessionid, '')`,
  `coalesce(orderid, '')`,
  `symbol`,
  `"timestamp"`,
  `price`,
  `coalesce(size, amount)`,
  `coalesce(execid, tradeid::text, '')`,
] as const;
