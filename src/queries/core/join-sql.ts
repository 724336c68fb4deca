import { type SQL, sql } from 'drizzle-orm';

/** Parts of a statement, one after the other. */
export const joinSql = (parts: readonly SQL[], separator: SQL = sql`, `): SQL =>
  sql.join([...parts], separator);

/** The names of columns, one after the other; qualified, if an alias is given: `"s"."id", "s"."symbol"`. */
export const joinNames = (columns: readonly { readonly name: string }[], alias?: string): SQL =>
  joinSql(columns.map(({ name }) => nameSql(name, alias)));

/** One name, quoted. */
export const nameSql = (name: string, alias?: string): SQL =>
  alias === undefined ? sql`${sql.identifier(name)}` : sql`${sql.identifier(alias)}.${sql.identifier(name)}`;
