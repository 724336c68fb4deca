import { createHash } from 'node:crypto';
import type { Connection } from '../../connection/connection.ts';
import { type CatalogObject, type CatalogScope, readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import type { Project } from '../project.ts';

/**
 * What tables are, object by object, each as a hash: two that are equal are of the same tables, and where they are not, the
 * objects that differ can be named. `index fills.idx_fills_symbol` is how an object is called.
 */
export type Fingerprint = Readonly<Record<string, string>>;

/** Stands behind the hash of an index or constraint that is not valid: as it is made, and as it stands half done. */
export const notValid = ' not valid';

/** The tables as they are now. It reads what `catalog.json` knows of; without one, the tables of the plan. */
export async function readFingerprint(
  connection: Connection,
  { folder }: Project,
  tables: readonly string[],
): Promise<Fingerprint> {
  const expected = await findCatalogFile(folder);
  const scope = expected.length > 0 ? scopeOf(expected) : scopeOfTables(tables);
  return fingerprintOf(await readCatalog(connection, scope));
}

/**
 * What files make of the tables, by their tags. What a later one changes once more is left out: how it looks until then
 * stands nowhere. Without a `catalog.json` it is not known what a file makes, and nothing is said.
 */
export async function foretellFingerprint(
  { folder }: Project,
  tags: readonly string[],
): Promise<Fingerprint> {
  const expected = await findCatalogFile(folder);
  return fingerprintOf(expected.filter(({ migration }) => tags.includes(migration)));
}

const fingerprintOf = (objects: readonly CatalogObject[]): Fingerprint =>
  Object.fromEntries(
    objects.map(({ kind, table, name, properties }) => [
      kind === 'table' ? `table ${name}` : `${kind} ${table}.${name}`,
      hashProperties(properties),
    ]),
  );

function hashProperties({ valid, ...properties }: CatalogObject['properties']): string {
  const text = JSON.stringify(Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return valid === false ? `${hash}${notValid}` : hash;
}

/** Tables as SQL names them. Those of another schema than the search path's are left to their rows. */
const scopeOfTables = (tables: readonly string[]): CatalogScope => ({
  tables: tables.flatMap((name) => /^(?:"((?:""|[^"])+)"|(\w+))$/.exec(name)?.slice(1).find(Boolean) ?? []),
  schemas: [],
});
