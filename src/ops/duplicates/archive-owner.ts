import type { Connection } from '../../connection/connection.ts';

interface Owner {
  /** The owner of `fills`, quoted for SQL. */
  readonly owner: string;
  /** The session may give him the schema. */
  readonly canGiveSchema: boolean;
  /** The archive is someone else's, and the session may give it to him. */
  readonly canGiveTable: boolean;
}

/**
 * What `dedupe` makes belongs to the owner of `fills`, also where a superuser runs it: the owner undoes it one day, and
 * migrates, for which the schema has to be his. A role that can't give things away keeps what it makes.
 */
export async function keepOwnerOfFills(
  connection: Connection,
  archive: string,
  isNewSchema: boolean,
): Promise<void> {
  if (isNewSchema) {
    const found = await readOwner(connection, archive);
    if (found?.canGiveSchema) await connection.execute(`alter schema multi_pair_db owner to ${found.owner}`);
  }
  // Asked again: in a schema of his own he may create tables.
  const found = await readOwner(connection, archive);
  if (found?.canGiveTable) await connection.execute(`alter table ${archive} owner to ${found.owner}`);
}

async function readOwner(connection: Connection, archive: string): Promise<Owner | undefined> {
  const [row] = await connection.query<Owner>(
    `select quote_ident(pg_get_userbyid(f.relowner)) as owner,
            pg_has_role(f.relowner, 'member') and has_database_privilege(f.relowner, current_database(), 'create')
              or r.rolsuper as "canGiveSchema",
            f.relowner <> a.relowner
              and (r.rolsuper
                or pg_has_role(f.relowner, 'member') and pg_has_role(a.relowner, 'usage')
                  and has_schema_privilege(f.relowner, a.relnamespace, 'create')) as "canGiveTable"
     from pg_class as f, pg_class as a, pg_roles as r
     where f.oid = 'fills'::regclass and a.oid = $1::regclass and r.rolname = current_user`,
    [archive],
  );
  return row;
}
