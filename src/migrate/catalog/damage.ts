import type { CatalogObject } from './catalog.ts';
import type { ExpectedObject } from './catalog-file.ts';
import { findTwin, isAsExpected } from './compare.ts';

/**
 * Migrations whose own objects are missing or different, and that running the file again repairs: an index that was
 * dropped or is INVALID, a disabled trigger, a procedure that was changed.
 *
 * @param ground tag of the first file: it adopts tables that are there, and changes nothing in them
 */
export function listDamaged(
  expected: readonly ExpectedObject[],
  live: readonly CatalogObject[],
  ground: string | undefined,
): ReadonlySet<string> {
  const damaged = expected.filter((wanted) => {
    const found = findLive(wanted, live);
    if (found !== undefined && isAsExpected(wanted, found)) return false;
    if (wanted.kind === 'procedure') return true;
    if (wanted.migration === ground || wanted.kind === 'table') return false;
    // What a type means is not ours to guess; what has another name is renamed, by hand, and not built twice.
    if (wanted.kind === 'column') {
      return found === undefined || found.properties['type'] === wanted.properties['type'];
    }
    return found !== undefined || findTwin(wanted, live, expected) === undefined;
  });
  return new Set(damaged.map(({ migration }) => migration));
}

/** Migrations of which anything is not as expected, a comment apart. */
export function listContradicted(
  expected: readonly ExpectedObject[],
  live: readonly CatalogObject[],
): ReadonlySet<string> {
  const contradicted = expected.filter((wanted) => {
    const found = findLive(wanted, live);
    return found === undefined || !isAsExpected(wanted, found);
  });
  return new Set(contradicted.map(({ migration }) => migration));
}

const findLive = (wanted: ExpectedObject, live: readonly CatalogObject[]): CatalogObject | undefined =>
  live.find(
    ({ kind, table, name }) => kind === wanted.kind && table === wanted.table && name === wanted.name,
  );
