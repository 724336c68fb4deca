import { quoteLiteral } from '../../connection/identifiers.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import { dropSpareSql, setAsideSql } from './archives.ts';
import type { BackupRecord } from './backup-record.ts';
import type { Replacement } from './replacement.ts';

// What stands before and after the script of pg_restore, in one transaction with it.

/** A table that nobody holds is locked at once, or when an autovacuum has given way (after a second). */
const lockWait = '5s';

/** Opens the transaction, and prints who and what it is, as JSON. No limit of a role or host may end it half way. */
export const beginSql = `set client_min_messages = warning;
do $limits$
begin
  perform set_config(name, '0', false)
  from pg_settings
  where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');
  perform set_config('lock_timeout', '${lockWait}', false), set_config('check_function_bodies', 'off', false);
  begin
    -- Without this the server works on for a client that has been killed.
    perform set_config('client_connection_check_interval', '1s', false);
  exception
    when invalid_parameter_value then
      null;
  end;
end
$limits$;
begin;
select json_build_object('pid', pg_backend_pid(), 'xid', pg_current_xact_id()::text);`;

/** EXCLUSIVE lets others read, also the backup of what is replaced; what it holds is all that was ever committed. */
export const lockSql = (tables: readonly string[], mode: 'exclusive' | 'access exclusive'): string =>
  tables.length === 0 ? '' : `lock table ${tables.join(', ')} in ${mode} mode;`;

/** Takes away all of ours, so that nothing is left that the backup does not know. Its archives are put aside. */
export function clearSql({ own, archives }: Replacement): string {
  const drop = own.length === 0 ? '' : `drop table ${own.join(', ')} cascade;`;
  return `${setAsideSql(archives)}
${drop}
do $clear$
declare
  frame constant oid := to_regnamespace('${frameSchema}');
  statement text;
  is_left boolean;
begin
  -- CASCADE takes nothing of others along: what depends on it was looked for, and nobody can add to it any more.
  foreach statement in array array(
    select format('drop %s if exists %s cascade', case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
             when 'f' then 'foreign table' else 'table' end, c.oid::regclass)
    from pg_class as c
    where c.relnamespace = frame and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname !~ '^archived_fills_replaced_'
    union all
    select format('drop sequence if exists %s cascade', c.oid::regclass)
    from pg_class as c
    where c.relnamespace = frame and c.relkind = 'S' and not exists (
      select from pg_depend as d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
    union all
    select format('drop routine if exists %s cascade', p.oid::regprocedure) from pg_proc as p where p.pronamespace = frame
    union all
    select format('drop type if exists %s cascade', t.oid::regtype)
    from pg_type as t
    where t.typnamespace = frame
      and (t.typtype in ('e', 'd') or (select c.relkind from pg_class as c where c.oid = t.typrelid) = 'c')
  ) loop
    execute statement;
  end loop;
  ${dropEmptyFrame}
end
$clear$;`;
}

const dropEmptyFrame = `if to_regnamespace('${frameSchema}') is not null then
    select exists (select from pg_class where relnamespace = to_regnamespace('${frameSchema}'))
      or exists (select from pg_proc where pronamespace = to_regnamespace('${frameSchema}'))
    into is_left;
    if not is_left then
      drop schema ${frameSchema};
    end if;
  end if;`;

/** What a dump of tables does not hold. */
export const prerequisitesSql = ({ prerequisites }: BackupRecord): string =>
  prerequisites.map((statement) => `${statement};`).join('\n');

/** After the script. An archive that the backup holds as well is not kept twice. */
export function finishSql({ archives }: Replacement, record: BackupRecord, withoutOwners: boolean): string {
  const ownership = withoutOwners ? [] : (record.ownership ?? []);
  return `${ownership.map((statement) => `${statement};`).join('\n')}
${dropSpareSql(archives)}
do $frame$
declare
  is_left boolean;
begin
  ${dropEmptyFrame}
end
$frame$;`;
}

/** Prints the rows of every table, as JSON: counted before the commit, when nobody else can have changed them. */
export const countSql = ({ rows }: BackupRecord): string =>
  Object.keys(rows)
    .map(
      (table) =>
        `select json_build_object('table', ${quoteLiteral(table)}::text, 'rows', count(*)) from ${table};`,
    )
    .join('\n');
