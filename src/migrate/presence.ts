import type { Connection } from '../connection/connection.ts';
import { quoteIdentifier } from '../connection/identifiers.ts';
import { readCatalog, scopeOf } from './catalog/catalog.ts';
import type { ExpectedObject } from './catalog/catalog-file.ts';
import type { RowRule } from './project.ts';

/** Objects that a file adds to tables that were there before it: what it leaves half done shows in them. */
export const listAdditions = (expected: readonly ExpectedObject[], tag: string): ExpectedObject[] => {
  const ownTables = new Set(
    expected.filter(({ kind, migration }) => kind === 'table' && migration === tag).map(({ table }) => table),
  );
  return expected.filter(
    ({ kind, migration, table }) =>
      migration === tag && kind !== 'table' && kind !== 'procedure' && !ownTables.has(table),
  );
};

/** Is anything of a migration there, recorded or not? Also an index of it that a run has renamed. */
export async function isPresent(
  connection: Connection,
  expected: readonly ExpectedObject[],
  tag: string,
): Promise<boolean> {
  const additions = listAdditions(expected, tag);
  if (additions.length === 0) return false;
  const live = await readCatalog(connection, scopeOf(expected));
  return additions.some((wanted) =>
    live.some(
      (object) =>
        object.kind === wanted.kind &&
        object.table === wanted.table &&
        (object.name === wanted.name || isRenamed(object.name, wanted.name)),
    ),
  );
}

const isRenamed = (name: string, index: string): boolean =>
  name === `${index}__set_aside` || name === `${index}__broken`;

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
