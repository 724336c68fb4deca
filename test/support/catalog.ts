/**
 * What the three tables are, as one row of JSON: columns, constraints, triggers, indexes with their definition and
 * validity, comments. Two databases with the same answer have the same schema. NOT NULL is read from the columns,
 * because PostgreSQL 18 also lists it among the constraints.
 */
export const readCatalog = `
  with our_tables as (
    select oid, relname from pg_class where oid in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass)
  )
  select jsonb_build_object(
    'columns', (
      select jsonb_agg(jsonb_build_array(t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), col_description(t.oid, a.attnum)) order by t.relname, a.attname)
      from our_tables as t
      join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef as d on d.adrelid = t.oid and d.adnum = a.attnum),
    'constraints', (
      select jsonb_agg(jsonb_build_array(t.relname, c.conname, pg_get_constraintdef(c.oid), c.convalidated) order by c.conname)
      from our_tables as t join pg_constraint as c on c.conrelid = t.oid and c.contype <> 'n'),
    'triggers', (
      select jsonb_agg(jsonb_build_array(pg_get_triggerdef(g.oid), pg_get_functiondef(g.tgfoid)) order by g.tgname)
      from our_tables as t join pg_trigger as g on g.tgrelid = t.oid and not g.tgisinternal),
    'indexes', (
      select jsonb_agg(jsonb_build_array(pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready) order by pg_get_indexdef(i.indexrelid))
      from our_tables as t join pg_index as i on i.indrelid = t.oid)
  ) as catalog`;
