import type { Connection } from '../../connection/connection.ts';
import { quoteLiteral } from '../../connection/identifiers.ts';
import { readMigrationFiles } from '../../migrate/history/folder.ts';
import { ownProject } from '../../own/project.ts';

// Somebody may have applied our files with drizzle's default journal, which belongs to other projects as well. A backup
// of the tables alone does not hold it, and a restore must not leave rows of ours in it that contradict the tables.

const table = 'drizzle.__drizzle_migrations';

/** By the second, as the frame does: a later drizzle-kit cuts off the milliseconds. */
async function isOurs(): Promise<string> {
  const files = await readMigrationFiles(ownProject.folder);
  const stamps = files.map(({ createdAtMs }) => Math.floor(createdAtMs / 1_000));
  return `created_at / 1000 = any (array[${stamps.join(', ')}]::bigint[])`;
}

/** What this role may not see there is not of this project. */
async function mayRead(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ readable: boolean }>(
    `select coalesce(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'), false) as readable
     from pg_class as c
     join pg_namespace as n on n.oid = c.relnamespace
     where n.nspname = 'drizzle' and c.relname = '__drizzle_migrations'`,
  );
  return row?.readable === true;
}

/** Our rows in it, each as JSON: a later drizzle-kit has more columns. */
export async function listAdoptedRows(connection: Connection): Promise<string[]> {
  if (!(await mayRead(connection))) return [];
  const rows = await connection.query<{ line: string }>(
    `select to_jsonb(j)::text as line from ${table} as j where ${await isOurs()} order by created_at`,
  );
  return rows.map(({ line }) => line);
}

/**
 * SQL that makes our rows in it those of the backup, and touches no other. Empty where there is nothing to do.
 *
 * @param wanted what `listAdoptedRows` gave when the backup was made
 */
export async function resetAdoptedRows(connection: Connection, wanted: readonly string[]): Promise<string> {
  const found = await listAdoptedRows(connection);
  if (wanted.length === 0 && found.length === 0) return '';
  const rows = `jsonb_array_elements(${quoteLiteral(`[${wanted.join(', ')}]`)}::jsonb) as wanted (line)`;
  // As drizzle makes it.
  const make =
    wanted.length === 0
      ? ''
      : `  create schema if not exists drizzle;
  create table if not exists ${table} (id serial primary key, hash text not null, created_at bigint);
`;
  return `do $journal$
declare
  columns text;
begin
${make}  delete from ${table}
  where ${await isOurs()}
    and created_at not in (select (line ->> 'created_at')::bigint from ${rows});
  -- Their ids may be taken by rows of others meanwhile.
  select string_agg(quote_ident(attname), ', ')
  into columns
  from pg_catalog.pg_attribute
  where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped and attname <> 'id';
  execute format(
    $insert$insert into ${table} (%1$s)
      select %1$s from jsonb_populate_recordset(null::${table}, $1) as wanted
      where not exists (select from ${table} as j where j.created_at = wanted.created_at)$insert$, columns)
  using ${quoteLiteral(`[${wanted.join(', ')}]`)}::jsonb;
end
$journal$;`;
}
