import type { Connection } from '../../connection/connection.ts';

/** A column of a table as it is in this database, which may have more columns than ours, or others. */
export interface Column {
  readonly name: string;
  /** Its name, quoted for SQL. */
  readonly quoted: string;
  /** Its name as a string of SQL. */
  readonly literal: string;
  readonly type: string;
  /** Empty where it is the one of its type. */
  readonly collation: string;
  readonly isRequired: boolean;
  readonly isIdentity: boolean;
  /** As SQL; null where it has none. */
  readonly defaultValue: string | null;
  /**
   * The value, as SQL, of the rows that were there when the column was added: PostgreSQL keeps it beside the rows. Null
   * where there is none, or the table was rewritten since.
   */
  readonly valueOfOlderRows: string | null;
}

/**
 * The columns of a table, apart from generated ones: they are computed from the others, nobody may insert into them, and
 * rows that differ in them differ in what they are computed from.
 */
export async function listColumns(connection: Connection, table: string): Promise<Column[]> {
  return connection.query<Column>(
    `select attname as name,
            quote_ident(attname) as quoted,
            quote_literal(attname) as literal,
            format_type(atttypid, atttypmod) as type,
            case when attcollation = typcollation then '' else attcollation::regcollation::text end as collation,
            attnotnull as "isRequired",
            attidentity <> '' as "isIdentity",
            pg_get_expr(adbin, adrelid) as "defaultValue",
            case when atthasmissing
              then quote_literal((attmissingval::text::text[])[1]) || '::' || format_type(atttypid, atttypmod)
            end as "valueOfOlderRows"
     from pg_attribute
     join pg_type on pg_type.oid = atttypid
     left join pg_attrdef on adrelid = attrelid and adnum = attnum
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
     order by attnum`,
    [table],
  );
}
