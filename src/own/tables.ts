import { scopeOf } from '../migrate/catalog/catalog.ts';
import { readCatalogFile } from '../migrate/catalog/catalog-file.ts';
import { ownProject } from './project.ts';

/** Names of the tables of this schema, as the migrations make them, in the order of their foreign keys: parents first. */
export async function readOwnTables(): Promise<string[]> {
  const expected = await readCatalogFile(ownProject.folder);
  const refersTo = (table: string): number =>
    expected.filter(
      ({ kind, table: from, properties }) =>
        kind === 'constraint' && from === table && String(properties['definition']).startsWith('FOREIGN KEY'),
    ).length;
  return [...scopeOf(expected).tables].sort((a, b) => refersTo(a) - refersTo(b));
}
