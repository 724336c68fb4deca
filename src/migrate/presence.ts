import type { Connection } from '../connection/connection.ts';
import { quoteIdentifier } from '../connection/identifiers.ts';
import type { CatalogObject } from './catalog/catalog.ts';
import type { ExpectedObject } from './catalog/catalog-file.ts';
import { frameSchema } from './plan/frame.ts';
import type { RowRule } from './project.ts';

/**
 * Objects that a file adds to tables that were there before it: what it leaves half done shows in them. What it only
 * changes was there before, and shows nothing.
 */
export const listAdditions = (expected: readonly ExpectedObject[], tag: string): ExpectedObject[] => {
  const ownTables = new Set(
    expected.filter(({ kind, migration }) => kind === 'table' && migration === tag).map(({ table }) => table),
  );
  return expected.filter(
    ({ kind, migration, madeBy = migration, table }) =>
      madeBy === tag && kind !== 'table' && kind !== 'procedure' && !ownTables.has(table),
  );
};

/** Is anything of a migration there, recorded or not? Also an index of it that a run has renamed. */
export const isPresent = (
  live: readonly CatalogObject[],
  expected: readonly ExpectedObject[],
  tag: string,
): boolean =>
  listAdditions(expected, tag).some((wanted) =>
    live.some(
      (object) =>
        object.kind === wanted.kind &&
        object.table === wanted.table &&
        [wanted.name, `${wanted.name}__set_aside`, `${wanted.name}__broken`].includes(object.name),
    ),
  );

/** Rules whose columns are all there: `table.column`. Of the others there is nothing to count yet. */
export function listCountable(rules: readonly RowRule[], live: readonly CatalogObject[]): RowRule[] {
  const columns = new Set(
    live.filter(({ kind }) => kind === 'column').map(({ table, name }) => `${table}.${name}`),
  );
  return rules.filter((rule) => rule.columns.every((name) => columns.has(name)));
}

/** Rows that a migration still has to put right, by the rules that are its own. Undefined where it has none. */
export async function countBacklog(
  connection: Connection,
  rules: readonly RowRule[],
  tag: string,
): Promise<number | undefined> {
  const own = rules.filter(({ migration }) => migration === tag);
  if (own.length === 0) return undefined;
  let total = 0;
  for (const table of new Set(own.map((rule) => rule.table))) {
    const conditions = own.filter((rule) => rule.table === table).map(({ condition }) => `(${condition})`);
    const [row] = await connection.query<{ left: number }>(
      `select count(*) as "left" from ${quoteIdentifier(table)} where ${conditions.join(' or ')}`,
    );
    total += row?.left ?? 0;
  }
  return total;
}

/** Rows that undo files have put aside, by table: `undo_…` in the schema of the frame. Drafts are of an undo under way. */
export async function countPutAside(connection: Connection): Promise<Record<string, number>> {
  const tables = await connection.query<{ name: string; table: string }>(
    `select c.relname::text as name, c.oid::regclass::text as table
     from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind = 'r' and c.relname like 'undo\\_%'
       and c.relname not like '%\\_draft' and c.relname <> 'undo_changes'
       and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
     order by 1`,
    [frameSchema],
  );
  const counts: Record<string, number> = {};
  for (const { name, table } of tables) {
    const [row] = await connection.query<{ rows: number }>(`select count(*) as rows from ${table}`);
    counts[name.replace('undo_', '')] = row?.rows ?? 0;
  }
  return counts;
}
