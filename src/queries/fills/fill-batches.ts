import { is, SQL } from 'drizzle-orm';
import { lengthOf, maxBatchLength, maxBatchRows } from '../core/batches.ts';
import type { EncodedValue } from '../core/encode.ts';
import { toArrays } from '../core/row-arrays.ts';
import type { EncodedRow } from '../core/row-encoder.ts';
import { coreCount, type FillColumn, fillColumns } from './fill-input.ts';
import { inInsertionOrder } from './fill-order.ts';

/** A fill that is to be inserted: its position in the caller's rows, and its values. */
export interface PendingFill {
  readonly position: number;
  readonly values: EncodedRow;
}

export interface FillBatch {
  /** In the order in which they are inserted. No two of them have the same id. */
  readonly rows: readonly PendingFill[];
  /** Exact repeats of rows of this batch: the position of each, and of the row that it repeats. */
  readonly repeats: readonly (readonly [position: number, repeated: number])[];
}

/** When a row was stored or touched says nothing about the execution. */
export const contentColumns = fillColumns.filter(({ key }) => key !== 'createdAt' && key !== 'lastUpdated');

/**
 * Cuts rows into batches, lazily. A second row with an id of the batch is set aside if it says the same, and begins the
 * next batch if it does not: so the rows of a statement meet one another in nothing but the identity of the execution,
 * and its order decides as if they had come one after the other.
 */
export function* cutFillBatches(rows: readonly EncodedRow[]): Generator<FillBatch, undefined> {
  let pending = new Map<string, PendingFill>();
  let repeats: [number, number][] = [];
  let length = 0;
  for (const [position, values] of rows.entries()) {
    const id = String(values[0]);
    const earlier = pending.get(id);
    if (earlier !== undefined && haveSameContent(earlier.values, values)) {
      repeats.push([position, earlier.position]);
      continue;
    }
    const size = lengthOf(values);
    if (
      earlier !== undefined ||
      pending.size >= maxBatchRows ||
      (pending.size > 0 && length + size > maxBatchLength)
    ) {
      yield { rows: inInsertionOrder([...pending.values()]), repeats };
      pending = new Map();
      repeats = [];
      length = 0;
    }
    pending.set(id, { position, values });
    length += size;
  }
  if (pending.size > 0) yield { rows: inInsertionOrder([...pending.values()]), repeats };
}

/**
 * The values of some rows as one array a column. A column that no row has costs the server its share of each row, so the
 * rarer ones are left out together: two shapes of the statement, not one for each combination.
 */
export function arraysOf(rows: readonly PendingFill[]): Record<string, string> {
  const values = rows.map((row) => row.values);
  const isCoreOnly = values.every(({ length }) => length <= coreCount);
  return toArrays(isCoreOnly ? fillColumns.slice(0, coreCount) : fillColumns, values);
}

function haveSameContent(a: EncodedRow, b: EncodedRow): boolean {
  return contentColumns.every((column) => orDefault(column, a) === orDefault(column, b));
}

/** What is left out is the default; but one that only the server knows equals nothing that is given. */
function orDefault({ at, fallback }: FillColumn, values: EncodedRow): EncodedValue | undefined {
  return values[at] === undefined && !is(fallback, SQL) ? fallback : values[at];
}
