import { createHash } from 'node:crypto';
import type { Connection } from '../../connection/connection.ts';
import { type CatalogScope, readCatalog, scopeOf } from '../catalog/catalog.ts';
import { findCatalogFile } from '../catalog/catalog-file.ts';
import type { Project } from '../project.ts';

/**
 * What the tables are now, object by object, each as a hash: two that are equal are of the same tables, and where they are
 * not, the objects that differ can be named. It reads what `catalog.json` knows of; without one, the tables of the plan.
 */
export async function readFingerprint(
  connection: Connection,
  { folder }: Project,
  tables: readonly string[],
): Promise<Record<string, string>> {
  const expected = await findCatalogFile(folder);
  const scope = expected.length > 0 ? scopeOf(expected) : scopeOfTables(tables);
  const objects = await readCatalog(connection, scope);
  return Object.fromEntries(
    objects.map(({ kind, table, name, properties }) => [
      kind === 'table' ? `table ${name}` : `${kind} ${table}.${name}`,
      createHash('sha256').update(JSON.stringify(properties)).digest('hex').slice(0, 16),
    ]),
  );
}

/** Tables as SQL names them. Those of another schema than the search path's are left to their rows. */
const scopeOfTables = (tables: readonly string[]): CatalogScope => ({
  tables: tables.flatMap((name) => /^(?:"((?:""|[^"])+)"|(\w+))$/.exec(name)?.slice(1).find(Boolean) ?? []),
  schemas: [],
});
