import { type SQL, sql } from 'drizzle-orm';

/**
 * What is compared of a status: its letters without case (those of ASCII, so that no locale of a server has a say), and
 * without `_`, `-` and spaces, which venues put between its words or not. So `partially_filled`, `PARTIALLY_FILLED`,
 * `partially-filled` and `PartiallyFilled` are one status; `canceled` and `cancelled`, two words, are two.
 */
export function toStatusKey(status: string): string {
  return status.replaceAll(/[_ -]/g, '').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The same, by PostgreSQL. */
export const statusKey = (status: SQL): SQL => sql`lower(translate(${status}, '_- ', '') collate "C")`;
