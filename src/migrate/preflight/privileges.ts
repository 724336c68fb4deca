import { defaultJournal } from '../history/journal.ts';
import type { Check } from './check.ts';

interface Lack {
  readonly lack: string;
  readonly remedy: string;
}

export const privileges: Check = {
  id: 'privileges',
  why: 'ALTER TABLE and CREATE INDEX are for the owner of the table, and the journal has to be written',
  look: async ({ connection, tables, project: { journal = defaultJournal } }) => {
    const lacks = [
      ...(await connection.query<Lack>(tableLacks, [tables])),
      ...(await connection.query<Lack>(schemaLacks)),
      ...(await connection.query<Lack>(journalLacks, [journal.schema, journal.table])),
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
  select $1::text as schema_name, format('%I.%I', $1::text, $2::text) as name, n.oid as schema, c.oid as journal,
         (select d.objid from pg_depend as d
          join pg_class as s on s.oid = d.objid and s.relkind = 'S'
          where d.refobjid = c.oid and d.deptype in ('a', 'i') limit 1) as sequence
  from (select) as one
  left join pg_namespace as n on n.nspname = $1
  left join pg_class as c on c.relnamespace = n.oid and c.relname = $2
)
select format('no CREATE on database %I, for the schema %I', current_database(), schema_name) as lack,
       format('grant create on database %I to %I', current_database(), current_user) as remedy
from journal
where schema is null and not has_database_privilege(current_database(), 'create')
union all
select format('no USAGE on schema %I', schema_name), format('grant usage on schema %I to %I', schema_name, current_user)
from journal
where schema is not null and not has_schema_privilege(schema, 'usage')
union all
select format('no CREATE on schema %I', schema_name), format('grant create on schema %I to %I', schema_name, current_user)
from journal
where schema is not null and journal is null and not has_schema_privilege(schema, 'create')
union all
select format('no %s on %s', upper(p.name), journal.name), format('grant %s on %s to %I', p.name, journal.name, current_user)
from journal
cross join unnest('{select,insert,delete}'::text[]) as p (name)
where journal.journal is not null and not has_table_privilege(journal.journal, p.name)
union all
select format('no USAGE on the sequence of %s', name),
       format('grant usage on sequence %s to %I', sequence::regclass, current_user)
from journal
where sequence is not null and not has_sequence_privilege(sequence, 'usage')`;
