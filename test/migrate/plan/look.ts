import type postgres from 'postgres';
import { lockModes } from '../../../src/migrate/plan/locks.ts';
import type { LockedRelation, TableLock } from '../../../src/migrate/project.ts';

/** What the catalog says of the tables of a database, and of what hangs together. */
export interface TablesOfCatalog {
  readonly tables: readonly { readonly oid: string; readonly name: string }[];
  /** Each relation by the names that SQL may know it by. */
  readonly byName: ReadonlyMap<string, string>;
  readonly links: readonly { readonly on: LockedRelation; readonly from: string; readonly to: string }[];
}

/** The file of each table, by its oid: another one after a statement means that it has written the table anew. */
export async function readFiles(sql: postgres.Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ oid: string; file: string }[]>`
    select oid::text, relfilenode::text as file from pg_class
    where relkind in ('r', 'm') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`;
  return new Map(rows.map(({ oid, file }) => [oid, file]));
}

/** Tables, child tables, foreign keys, and what views read. */
export async function readTables(sql: postgres.Sql): Promise<TablesOfCatalog> {
  const relations = await sql<{ oid: string; name: string; path: string; kind: string }[]>`
    select c.oid::text, c.oid::regclass::text as name, n.nspname || '.' || quote_ident(c.relname) as path,
           c.relkind::text as kind
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname !~ '^(pg_|information_schema)' and c.relkind in ('r', 'p', 'm', 'v', 'f', 'i', 'I')`;
  const links = await sql<{ on: LockedRelation; from: string; to: string }[]>`
    select 'its child tables' as on, inhparent::text as from, inhrelid::text as to from pg_inherits
    union all
    select 'its parent table', inhrelid::text, inhparent::text from pg_inherits
    union all
    select 'its default partition', partrelid::text, partdefid::text from pg_partitioned_table where partdefid <> 0
    union all
    select 'its default partition', i.inhrelid::text, p.partdefid::text
    from pg_inherits as i join pg_partitioned_table as p on p.partrelid = i.inhparent where p.partdefid <> 0
    union all
    select 'tables that it refers to', conrelid::text, confrelid::text from pg_constraint where contype = 'f'
    union all
    select 'tables that refer to it', confrelid::text, conrelid::text from pg_constraint where contype = 'f'
    union all
    select 'its table', indexrelid::text, indrelid::text from pg_index
    union all
    select distinct 'tables that its query reads', r.ev_class::text, d.refobjid::text
    from pg_rewrite as r join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class`;
  return {
    tables: relations.filter(({ kind }) => ['r', 'p', 'm', 'f'].includes(kind)),
    byName: new Map(
      relations.flatMap(
        ({ oid, name, path }) =>
          [
            [name, oid],
            [path, oid],
          ] as const,
      ),
    ),
    links,
  };
}

/** What a plan says of each table: which lock is certain, and which is the strongest that there may be. */
export function resolveLocks(
  locks: readonly TableLock[],
  { byName, links }: TablesOfCatalog,
): Map<string, { least: number; most: number }> {
  const said = new Map<string, { least: number; most: number }>();
  for (const { name, on, mode, may } of locks) {
    const strength = lockModes.indexOf(mode) + 1;
    const start = byName.get(name);
    if (start === undefined) continue;
    for (const oid of on === 'itself' ? [start] : follow(start, on, links)) {
      const { least, most } = said.get(oid) ?? { least: 0, most: 0 };
      said.set(oid, {
        least: may === true ? least : Math.max(least, strength),
        most: Math.max(most, strength),
      });
    }
  }
  return said;
}

/** As far as the links of a kind lead: the child of a child is a child. */
function follow(start: string, on: LockedRelation, links: TablesOfCatalog['links']): Set<string> {
  const found = new Set<string>();
  const waiting = [start];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const { to } of links.filter((link) => link.on === on && link.from === at)) {
      if (found.has(to)) continue;
      found.add(to);
      waiting.push(to);
    }
  }
  return found;
}
