import type { Connection } from '../../connection/connection.ts';
import { readOwnTables } from '../../own/tables.ts';
import type { RunFacts } from './report.ts';

interface Relation {
  readonly name: string;
  /** Of an index; of a table null. */
  readonly table: string | null;
  /** As the server estimates them; null for an index, and for a table that was never analyzed. */
  readonly rows: number | null;
  readonly sizeBytes: number;
}

/** The tables and their indexes, and how large they are; the largest first. */
export async function readSizes(connection: Connection): Promise<Pick<RunFacts, 'tables' | 'indexes'>> {
  const relations = await connection.query<Relation>(
    `with own as (select c.* from unnest($1::text[]) as name join pg_class as c on c.oid = to_regclass(name))
     select relname::text as name, null as table, nullif(reltuples, -1)::float8 as rows,
            pg_table_size(oid)::float8 as "sizeBytes"
     from own
     union all
     select c.relname::text, own.relname::text, null, pg_relation_size(c.oid)::float8
     from own
     join pg_index as x on x.indrelid = own.oid
     join pg_class as c on c.oid = x.indexrelid
     order by "sizeBytes" desc, name`,
    [await readOwnTables()],
  );
  return {
    tables: relations.flatMap(({ name, table, rows, sizeBytes }) =>
      table === null ? [{ table: name, sizeBytes, ...(rows !== null && { rows }) }] : [],
    ),
    indexes: relations.flatMap(({ name, table, sizeBytes }) =>
      table === null ? [] : [{ index: name, table, sizeBytes }],
    ),
  };
}
