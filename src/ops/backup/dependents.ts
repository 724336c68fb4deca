import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { inTransaction } from '../../connection/session.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import type { RestoreList } from './restore-list.ts';

interface Dependent {
  /** `view public.latest_fills`, `constraint risk_fk on table public.risk` */
  readonly object: string;
  /** As `pg_restore --list` names it; null where a list would not have it on its own. */
  readonly label: string | null;
}

/**
 * Refuses where something of others hangs on the tables that are to be replaced, and would go with them and not come
 * back: a view, a foreign key, a publication. What the backup holds comes back.
 *
 * @throws OperationError `REFUSED` that names each
 */
export async function refuseDependents(
  connection: Connection,
  tables: readonly string[],
  list: RestoreList,
): Promise<void> {
  const dependents = await inTransaction(connection, '', async () => {
    // Names with their schemas, as pg_dump writes them and as an operator needs them.
    await connection.execute("set local search_path = ''");
    return connection.query<Dependent>(dependentsQuery, [[...tables], frameSchema]);
  });
  const others = dependents.filter(({ label }) => label === null || !list.has(label));
  if (others.length === 0) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `what is not in the backup depends on tables that would be replaced; nothing was changed: ${others.map(({ object }) => object).join('; ')}`,
    advice:
      'Drop each of these first (keep its definition, to make it again afterwards), or restore into another database with --into.',
  });
}

/**
 * All that a `drop … cascade` of the tables ($1) and of what stands in the frame ($2) would take along, without what is
 * part of them anyway.
 */
const dependentsQuery = `
with recursive tables as (
  select c.oid from unnest($1::text[]) as t (name) join pg_class as c on c.oid = to_regclass(t.name)
  union
  select c.oid from pg_class as c where c.relnamespace = (select oid from pg_namespace where nspname = $2)
), gone (classid, objid) as (
  select 'pg_class'::regclass::oid, oid from tables
  union
  select 'pg_proc'::regclass::oid, p.oid from pg_proc as p where p.pronamespace = (select oid from pg_namespace where nspname = $2)
  union
  select case when upward then d.refclassid else d.classid end, case when upward then d.refobjid else d.objid end
  from gone as g
  cross join (values (true), (false)) as way (upward)
  join pg_depend as d on case
    -- The rule of a view is inside the view: who takes the rule takes the view.
    when upward then d.classid = g.classid and d.objid = g.objid and d.deptype = 'i' and d.classid = 'pg_rewrite'::regclass
    else d.refclassid = g.classid and d.refobjid = g.objid
  end
  where d.deptype not in ('e', 'x')
), found as (
  select g.classid, g.objid, pg_describe_object(g.classid, g.objid, 0) as object,
    case g.classid
      when 'pg_class'::regclass then (
        select format('%s %s %s', case c.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW'
                 when 'f' then 'FOREIGN TABLE' when 'S' then 'SEQUENCE' else 'TABLE' end, n.nspname, c.relname)
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.oid = g.objid and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.oid not in (select oid from tables)
          -- A sequence that a column of the tables owns goes and comes with it.
          and not exists (
            select from pg_depend as d
            where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
              and d.refobjid in (select oid from tables) and d.deptype in ('a', 'i') and c.relkind = 'S'))
      when 'pg_constraint'::regclass then (
        select format('%s %s %s %s', case k.contype when 'f' then 'FK CONSTRAINT' when 'c' then 'CHECK CONSTRAINT' else 'CONSTRAINT' end,
                 n.nspname, c.relname, k.conname)
        from pg_constraint as k join pg_class as c on c.oid = k.conrelid join pg_namespace as n on n.oid = c.relnamespace
        where k.oid = g.objid and k.conrelid not in (select oid from tables))
      when 'pg_trigger'::regclass then (
        select format('TRIGGER %s %s %s', n.nspname, c.relname, t.tgname)
        from pg_trigger as t join pg_class as c on c.oid = t.tgrelid join pg_namespace as n on n.oid = c.relnamespace
        where t.oid = g.objid and t.tgrelid not in (select oid from tables) and not t.tgisinternal)
      when 'pg_proc'::regclass then (
        select format('%s %s %s(%s)', case p.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end, n.nspname, p.proname, oidvectortypes(p.proargtypes))
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where p.oid = g.objid and n.nspname <> $2)
      when 'pg_publication_rel'::regclass then (
        select format('PUBLICATION TABLE %s %s %s', n.nspname, p.pubname, c.relname)
        from pg_publication_rel as r join pg_publication as p on p.oid = r.prpubid
        join pg_class as c on c.oid = r.prrelid join pg_namespace as n on n.oid = c.relnamespace
        where r.oid = g.objid)
      when 'pg_policy'::regclass then (
        select format('POLICY %s %s %s', n.nspname, c.relname, p.polname)
        from pg_policy as p join pg_class as c on c.oid = p.polrelid join pg_namespace as n on n.oid = c.relnamespace
        where p.oid = g.objid and p.polrelid not in (select oid from tables))
      when 'pg_attrdef'::regclass then (
        select format('DEFAULT %s %s %s', n.nspname, c.relname, a.attname)
        from pg_attrdef as d join pg_class as c on c.oid = d.adrelid join pg_namespace as n on n.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.oid = g.objid and d.adrelid not in (select oid from tables))
      when 'pg_event_trigger'::regclass then (
        select format('EVENT TRIGGER - %s', e.evtname) from pg_event_trigger as e where e.oid = g.objid)
      when 'pg_type'::regclass then (
        -- A domain or a composite type over a row type of the tables.
        select format('TYPE %s %s', n.nspname, t.typname)
        from pg_type as t join pg_namespace as n on n.oid = t.typnamespace
        where t.oid = g.objid and t.typtype in ('d', 'r') or t.oid = g.objid and t.typtype = 'c' and exists (
          select from pg_class as c where c.oid = t.typrelid and c.relkind = 'c' and n.nspname <> $2))
    end as label
  from gone as g
)
select distinct object, label from found where label is not null order by object`;
