import type { EncodedValue } from './encode.ts';
import type { EncodedRow } from './row-encoder.ts';

/** The newest row of an id, among those of one call. */
export interface NewestRow {
  readonly id: string;
  /** Its place in the input. */
  readonly position: number;
  readonly values: EncodedRow;
  /** The places of the rows that it wins over. */
  readonly older: number[];
}

/**
 * The newest row of each id, in the order of the ids: so two processes that save the same rows wait for one another in the
 * same order, and not in a circle, whatever batches they are cut into.
 *
 * A row that does not say when it was updated counts as newer than those that do; of equally old ones the last counts.
 */
export function takeNewest(
  rows: readonly EncodedRow[],
  idAt: number,
  lastUpdatedAt: number,
): readonly NewestRow[] {
  const byId = new Map<string, NewestRow>();
  for (const [position, values] of rows.entries()) {
    const id = String(values[idAt]);
    const other = byId.get(id);
    if (other === undefined) {
      byId.set(id, { id, position, values, older: [] });
    } else if (ageOf(values[lastUpdatedAt]) < ageOf(other.values[lastUpdatedAt])) {
      other.older.push(position);
    } else {
      other.older.push(other.position);
      byId.set(id, { id, position, values, older: other.older });
    }
  }
  const newest = [...byId.values()];
  const isInOrder = newest.every((row, i) => i === 0 || (newest[i - 1] as NewestRow).id < row.id);
  return isInOrder ? newest : newest.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const ageOf = (lastUpdated: EncodedValue | undefined): number =>
  typeof lastUpdated === 'number' ? lastUpdated : Number.POSITIVE_INFINITY;
