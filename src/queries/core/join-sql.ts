import { type SQL, sql } from 'drizzle-orm';

/** Parts of a statement, one after the other. */
export const joinSql = (parts: readonly SQL[], separator: SQL = sql`, `): SQL =>
  sql.join([...parts], separator);
