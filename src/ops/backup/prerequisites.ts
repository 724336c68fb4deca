import type { Connection } from '../../connection/connection.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import type { TableName } from './row-counts.ts';

// A dump of tables holds neither their schemas nor functions: those of triggers, and the frame of the migrations.

/** The functions that go along: all of the frame, and those of the tables' triggers. $1: the tables, $2: the frame. */
const functions = `
  select p.*, n.nspname
  from pg_proc as p
  join pg_namespace as n on n.oid = p.pronamespace
  where p.pronamespace = (select oid from pg_namespace where nspname = $2)
    or p.oid in (select tgfoid from pg_trigger where tgrelid = any($1::regclass[]) and not tgisinternal)`;

const schemas = `
  select n.*
  from pg_namespace as n
  where n.nspname <> 'public' and n.oid in (select relnamespace from pg_class where oid = any($1::regclass[]))`;

/** SQL that makes them. */
export async function listPrerequisites(
  connection: Connection,
  tables: readonly TableName[],
): Promise<string[]> {
  return list(
    connection,
    tables,
    `select format('create schema if not exists %I', n.nspname) as statement, 1 as place from (${schemas}) as n
     union all
     select pg_get_functiondef(p.oid), 2 from (${functions}) as p
     union all
     select format('comment on %s %s is %L', case p.prokind when 'p' then 'procedure' else 'function' end,
                   format('%I.%I(%s)', p.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
                   obj_description(p.oid, 'pg_proc')), 3
     from (${functions}) as p
     where obj_description(p.oid, 'pg_proc') is not null`,
  );
}

/** SQL that gives them their owners and privileges again. The frame has to stay its owner's, who runs migrations. */
export async function listOwnership(connection: Connection, tables: readonly TableName[]): Promise<string[]> {
  return list(
    connection,
    tables,
    `select format('alter schema %I owner to %I', n.nspname, pg_get_userbyid(n.nspowner)) as statement, 1 as place
     from (${schemas}) as n
     union all
     select format('alter routine %I.%I(%s) owner to %I', p.nspname, p.proname,
                   pg_get_function_identity_arguments(p.oid), pg_get_userbyid(p.proowner)), 2
     from (${functions}) as p
     union all
     select format('grant %s on schema %I to %s', a.privilege_type, n.nspname,
                   case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end), 3
     from (${schemas}) as n
     cross join aclexplode(n.nspacl) as a
     where a.grantee <> n.nspowner`,
  );
}

async function list(connection: Connection, tables: readonly TableName[], query: string): Promise<string[]> {
  const names = tables.map(({ qualified }) => qualified);
  const rows = await connection.query<{ statement: string }>(`${query} order by place`, [names, frameSchema]);
  return rows.map(({ statement }) => statement);
}
