import type { Check } from './check.ts';

interface Lack {
  readonly lack: string;
  readonly remedy: string;
}

export const privileges: Check = {
  id: 'privileges',
  why: 'ALTER TABLE and CREATE INDEX are for the owner of the table, and the journal has to be written',
  look: async ({ connection, tables }) => {
    const lacks = [
      ...(await connection.query<Lack>(tableLacks, [tables])),
      ...(await connection.query<Lack>(schemaLacks)),
      ...(await connection.query<Lack>(journalLacks)),
    ];
    if (lacks.length === 0) return { level: 'ok', found: 'this role may do all that the migrations do' };
    return {
      level: 'blocker',
      found: `this role lacks ${lacks.length === 1 ? 'a privilege' : 'privileges'}`,
      details: [...new Set(lacks.map(({ lack }) => lack))].sort(),
      advice: `Connect as the owner, or let a superuser run: ${[...new Set(lacks.map(({ remedy }) => remedy))].join('; ')}`,
    };
  },
};

const tableLacks = `
select format('%I belongs to %I', c.relname, pg_get_userbyid(c.relowner)) as lack,
       format('grant %I to %I', pg_get_userbyid(c.relowner), current_user) as remedy
from unnest($1::text[]) as t (name)
join pg_class as c on c.oid = to_regclass(quote_ident(t.name))
where not pg_has_role(c.relowner, 'usage')
union all
select distinct format('no CREATE on schema %I', n.nspname),
       format('grant create on schema %I to %I', n.nspname, current_user)
from unnest($1::text[]) as t (name)
join pg_class as c on c.oid = to_regclass(quote_ident(t.name))
join pg_namespace as n on n.oid = c.relnamespace
where not has_schema_privilege(n.oid, 'create')`;

/** Where new tables and the trigger's function go. */
const schemaLacks = `
select case when current_schema() is null then 'the search path names no schema that exists'
            else format('no CREATE on schema %I', current_schema()) end as lack,
       case when current_schema() is null then format('alter role %I set search_path = public', current_user)
            else format('grant create on schema %I to %I', current_schema(), current_user) end as remedy
where current_schema() is null or not has_schema_privilege(current_schema(), 'create')`;

/** By name from the catalogs: to_regclass raises an error where the schema may not be looked into. */
const journalLacks = `
with journal as (
  select n.oid as schema, c.oid as journal,
         (select d.objid from pg_depend as d
          join pg_class as s on s.oid = d.objid and s.relkind = 'S'
          where d.refobjid = c.oid and d.deptype in ('a', 'i') limit 1) as sequence
  from (select) as one
  left join pg_namespace as n on n.nspname = 'drizzle'
  left join pg_class as c on c.relnamespace = n.oid and c.relname = '__drizzle_migrations'
)
select format('no CREATE on database %I, for the schema drizzle', current_database()) as lack,
       format('grant create on database %I to %I', current_database(), current_user) as remedy
from journal
where schema is null and not has_database_privilege(current_database(), 'create')
union all
select 'no USAGE on schema drizzle', format('grant usage on schema drizzle to %I', current_user)
from journal
where schema is not null and not has_schema_privilege(schema, 'usage')
union all
select 'no CREATE on schema drizzle', format('grant create on schema drizzle to %I', current_user)
from journal
where schema is not null and journal is null and not has_schema_privilege(schema, 'create')
union all
select format('no %s on drizzle.__drizzle_migrations', upper(p.name)),
       format('grant %s on drizzle.__drizzle_migrations to %I', p.name, current_user)
from journal
cross join unnest('{select,insert,delete}'::text[]) as p (name)
where journal is not null and not has_table_privilege(journal, p.name)
union all
select 'no USAGE on the sequence of drizzle.__drizzle_migrations',
       format('grant usage on sequence drizzle.__drizzle_migrations_id_seq to %I', current_user)
from journal
where sequence is not null and not has_sequence_privilege(sequence, 'usage')`;
