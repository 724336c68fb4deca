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
  where n.nspname = $2
    or n.nspname <> 'public' and n.oid in (select relnamespace from pg_class where oid = any($1::regclass[]))`;

const signature = `format('%I.%I(%s)', p.nspname, p.proname, pg_get_function_identity_arguments(p.oid))`;

/** SQL that makes them. A function of others is made only where it is missing: what it is now is not ours to say. */
export async function listPrerequisites(
  connection: Connection,
  tables: readonly TableName[],
): Promise<string[]> {
  return list(
    connection,
    tables,
    // Even `if not exists` wants the right to create.
    `select format('do %L', format('begin if to_regnamespace(%L) is null then create schema %I; end if; end', quote_ident(n.nspname), n.nspname)) as statement, 1 as place
     from (${schemas}) as n
     union all
     select case when p.nspname = $2 then pg_get_functiondef(p.oid)
              else format('do %L', format('begin if to_regprocedure(%L) is null then execute %L; end if; end',
                          format('%I.%I()', p.nspname, p.proname), pg_get_functiondef(p.oid))) end, 2
     from (${functions}) as p
     union all
     select format('comment on routine %s is %L', ${signature}, obj_description(p.oid, 'pg_proc')), 3
     from (${functions}) as p
     where p.nspname = $2 and obj_description(p.oid, 'pg_proc') is not null`,
  );
}

/** SQL that gives the frame its owner and privileges again: the next migration may be that role's to run. */
export async function listOwnership(connection: Connection, tables: readonly TableName[]): Promise<string[]> {
  return list(
    connection,
    tables,
    `select format('alter schema %I owner to %I', n.nspname, pg_get_userbyid(n.nspowner)) as statement, 1 as place
     from (${schemas}) as n
     where n.nspname = $2
     union all
     select format('alter routine %s owner to %I', ${signature}, pg_get_userbyid(p.proowner)), 2
     from (${functions}) as p
     where p.nspname = $2
     union all
     select format('grant %s on schema %I to %s', a.privilege_type, n.nspname,
                   case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end), 3
     from (${schemas}) as n
     cross join aclexplode(n.nspacl) as a
     where n.nspname = $2 and a.grantee <> n.nspowner`,
  );
}

async function list(connection: Connection, tables: readonly TableName[], query: string): Promise<string[]> {
  const names = tables.map(({ qualified }) => qualified);
  const rows = await connection.query<{ statement: string }>(`${query} order by place`, [names, frameSchema]);
  return rows.map(({ statement }) => statement);
}
