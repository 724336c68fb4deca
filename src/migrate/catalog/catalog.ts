import type { Connection } from '../../connection/connection.ts';

/** What a catalog object is: the table itself, or something of it; or a function or procedure of a schema. */
export const objectKinds = ['table', 'column', 'constraint', 'index', 'trigger', 'procedure'] as const;
export type ObjectKind = (typeof objectKinds)[number];

/** A fact about an object; a list is a text, line by line. */
export type Property = string | boolean | null | readonly string[];

/** One object of the catalog, with everything about it that could make the database behave otherwise. */
export interface CatalogObject {
  readonly kind: ObjectKind;
  /** Table that it belongs to; of a procedure, its schema. */
  readonly table: string;
  /** Its own name; of a table, the table's; of a procedure, with its types of arguments. */
  readonly name: string;
  readonly properties: Readonly<Record<string, Property>>;
}

/** What to read: tables by name, and schemas for their functions and procedures. */
export interface CatalogScope {
  readonly tables: readonly string[];
  readonly schemas: readonly string[];
}

/** Where objects stand. */
export const scopeOf = (objects: readonly CatalogObject[]): CatalogScope => ({
  tables: namesOf(objects.filter(({ kind }) => kind !== 'procedure')),
  schemas: namesOf(objects.filter(({ kind }) => kind === 'procedure')),
});

const namesOf = (objects: readonly CatalogObject[]): string[] => [
  ...new Set(objects.map(({ table }) => table)),
];

/**
 * Reads what the tables are, as objects sorted by table, kind and name. The order of columns is no part of it: an
 * older attempt may have added them in another one, and every statement of this package names its columns.
 *
 * The same tables read equal on PostgreSQL 15 to 18 and PGlite, in whatever schema the search path finds them:
 * definitions are taken without schema names, and NOT NULL, which PostgreSQL 18 also lists as constraints, is a
 * property of its column everywhere. A trigger on a table of one of the `schemas` (the journal) is read with its function,
 * and so are the columns that it relies on. Reads the system catalogs alone; takes no lock on the tables.
 */
export async function readCatalog(
  connection: Connection,
  { tables, schemas }: CatalogScope,
): Promise<readonly CatalogObject[]> {
  const rows = await connection.query<CatalogObject>(catalogQuery, [tables, schemas]);
  return rows.map((row) => ({ ...row, properties: withBodyAsLines(row.properties) })).sort(compareObjects);
}

type Properties = CatalogObject['properties'];

function withBodyAsLines(properties: Properties): Properties {
  const { body } = properties;
  return typeof body === 'string' ? { ...properties, body: toLines(body) } : properties;
}

/** A function's body without what a client may change: line ends, the indentation of the whole, blank ends. */
function toLines(body: string): string[] {
  const lines = body.split('\n').map((line) => line.trimEnd());
  while (lines[0] === '') lines.shift();
  while (lines.at(-1) === '') lines.pop();
  const indent = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent));
}

/** The order of the committed file: by table, then as listed in `objectKinds`, then by name. */
export function compareObjects(a: CatalogObject, b: CatalogObject): number {
  return (
    compareText(a.table, b.table) ||
    objectKinds.indexOf(a.kind) - objectKinds.indexOf(b.kind) ||
    compareText(a.name, b.name)
  );
}

// Not localeCompare: the file must not depend on the machine that writes it.
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const catalogQuery = `
with tables as (
  select c.oid, c.relname::text as name, c.relkind, c.relpersistence
  from unnest($1::text[]) as t (name)
  join pg_class as c on c.oid = to_regclass(quote_ident(t.name))
)
select 'table' as kind, t.name as table, t.name,
  json_build_object(
    'kind', concat_ws(' ',
      case t.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end,
      case t.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
                     when 'm' then 'materialized view' when 'f' then 'foreign table' else 'relation of kind ' || t.relkind::text end)
  ) as properties
from tables as t

union all
select 'column', t.name, a.attname::text,
  json_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'nullable', not a.attnotnull,
    'default', case
      when a.attidentity <> '' then 'generated as identity'
      when a.attgenerated <> '' then 'generated as ' || pg_get_expr(d.adbin, d.adrelid)
      else pg_get_expr(d.adbin, d.adrelid)
    end,
    'comment', col_description(a.attrelid, a.attnum)
  )
from tables as t
join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum

union all
select 'constraint', t.name, c.conname::text,
  json_build_object(
    'definition', regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', ''),
    'valid', c.convalidated
  )
from tables as t
join pg_constraint as c on c.conrelid = t.oid and c.contype in ('p', 'u', 'x', 'c', 'f')

union all
select 'index', t.name, c.relname::text,
  json_build_object(
    'definition', regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''),
    'unique', i.indisunique,
    'valid', i.indisvalid and i.indisready and i.indislive
  )
from tables as t
join pg_index as i on i.indrelid = t.oid
join pg_class as c on c.oid = i.indexrelid
where not exists (
  select from pg_constraint as k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
)

union all
select 'trigger', t.name, g.tgname::text,
  json_build_object(
    'definition', regexp_replace(pg_get_triggerdef(g.oid), ' ON .*?( (FROM|NOT DEFERRABLE|DEFERRABLE|REFERENCING|FOR) )', '\\1'),
    'fires', case g.tgenabled when 'O' then 'always but in replication' when 'A' then 'always'
                              when 'R' then 'in replication only' else 'never: disabled' end,
    'language', l.lanname,
    'security definer', p.prosecdef,
    'settings', array_to_string(p.proconfig, ', '),
    'comment', obj_description(p.oid, 'pg_proc'),
    'body', p.prosrc
  )
from tables as t
join pg_trigger as g on g.tgrelid = t.oid and not g.tgisinternal
join pg_proc as p on p.oid = g.tgfoid
join pg_language as l on l.oid = p.prolang

union all
select 'procedure', n.nspname::text, p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
  json_build_object(
    'kind', case p.prokind when 'p' then 'procedure' else 'function' end,
    'language', l.lanname,
    'security definer', p.prosecdef,
    'settings', array_to_string(p.proconfig, ', '),
    'body', p.prosrc
  )
from pg_namespace as n
join pg_proc as p on p.pronamespace = n.oid and p.prorettype <> 'trigger'::regtype
join pg_language as l on l.oid = p.prolang
where n.nspname = any($2::text[])

union all
select 'procedure', n.nspname::text, p.proname || '()',
  json_build_object(
    'kind', 'function of a trigger',
    'fires', regexp_replace(pg_get_triggerdef(g.oid), '^CREATE TRIGGER (\\S+) (.*?) ON .*?( FOR .*) EXECUTE .*$', '\\1 on ' || c.relname || ' \\2\\3')
      || case g.tgenabled when 'D' then ', never: disabled' when 'R' then ', in replication only' else '' end,
    'columns', (
      select string_agg(a.attname, ', ' order by a.attname)
      from pg_attribute as a
      where a.attrelid = c.oid and not a.attisdropped and a.attname in ('id', 'hash', 'created_at', 'name', 'applied_at')
    ),
    'language', l.lanname,
    'security definer', p.prosecdef,
    'settings', array_to_string(p.proconfig, ', '),
    'body', p.prosrc
  )
from pg_namespace as n
join pg_class as c on c.relnamespace = n.oid
join pg_trigger as g on g.tgrelid = c.oid and not g.tgisinternal
join pg_proc as p on p.oid = g.tgfoid and p.pronamespace = n.oid
join pg_language as l on l.oid = p.prolang
where n.nspname = any($2::text[])`;
