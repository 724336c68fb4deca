import type { SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { arrayLiteral } from './arguments.ts';
import { cutBatches, maxTries, neverStored, retryOnHandle, storeInTurn } from './batches.ts';
import { type Database, isTransaction } from './database.ts';
import type { Encoder } from './encode.ts';
import { DatabaseError, InvalidArgumentError } from './errors.ts';
import { type NewestRow, takeNewest } from './newest-rows.ts';
import { toArrays } from './row-arrays.ts';
import {
  createRowEncoder,
  type EncodedRow,
  encodeRows,
  type InputColumn,
  type RowEncoder,
} from './row-encoder.ts';
import { defineSaveStatement, givenBits } from './save-statement.ts';
import { PartialSaveError, type SavedRow } from './saved-rows.ts';

/** A function that saves rows of a table by their id, and the columns that they have. */
export interface Save<K extends string> {
  readonly encoder: RowEncoder<K>;
  save(db: Database, rows: readonly unknown[]): Promise<SavedRow[]>;
}

/** What it stands on. */
interface Saving {
  readonly name: string;
  readonly columns: readonly InputColumn[];
  readonly coreCount: number;
  readonly statement: ReturnType<typeof defineSaveStatement>;
}

/**
 * Defines it: over these columns, of which `core` are those that nearly every row has. A batch sends the core alone, or all
 * columns: two statements, not one for each combination.
 */
export function defineSave<K extends string>(definition: {
  readonly name: string;
  readonly table: SQL;
  /** Among them `id` and `lastUpdated`. */
  readonly columns: Readonly<Record<K, PgColumn>>;
  readonly core: readonly NoInfer<K>[];
  readonly encoders?: Readonly<Partial<Record<NoInfer<K>, Encoder>>>;
  readonly nullWhenNew?: readonly string[];
  readonly differs?: Readonly<Record<string, SQL>>;
}): Save<K> {
  const { name, encoders, core } = definition;
  const encoder = createRowEncoder(definition.columns, {
    core,
    keepsNull: true,
    ...(encoders && { encoders }),
  });
  const { columns } = encoder;
  const id = columnOf(columns, 'id');
  const lastUpdated = columnOf(columns, 'lastUpdated');
  const statement = defineSaveStatement({ ...definition, columns, lastUpdated });
  const saving: Saving = { name, columns, coreCount: core.length, statement };

  const save = async (db: Database, rows: readonly unknown[]): Promise<SavedRow[]> => {
    const encoded = encodeRows(rows, namingRows(encoder.encode));
    const results = new Array<SavedRow | undefined>(encoded.length).fill(undefined);
    const arrays = (batch: readonly NewestRow[]) => arraysOf(saving, batch);
    try {
      await storeInTurn(cutBatches(takeNewest(encoded, id.at, lastUpdated.at)), arrays, (batch, prepared) =>
        storeBatch(saving, db, batch, prepared, results),
      );
    } catch (error) {
      const isPartial = error instanceof DatabaseError && !isTransaction(db) && results.some(Boolean);
      throw isPartial ? new PartialSaveError(error, results) : error;
    }
    return results.map(done);
  };
  return { encoder, save };
}

/** The values of some rows as one array a column, and which of them each row gives. */
function arraysOf({ columns, coreCount }: Saving, rows: readonly NewestRow[]): Record<string, string> {
  const values = rows.map((row) => row.values);
  const isCoreOnly = values.every(({ length }) => length <= coreCount);
  const sent = isCoreOnly ? columns.slice(0, coreCount) : columns;
  const bits = values.map((row) => sent.map(({ at }) => (row[at] === undefined ? '0' : '1')).join(''));
  return { ...toArrays(sent, values), [givenBits.name]: arrayLiteral(bits) };
}

/** Stores the rows of a batch, and writes what became of each to its place in `results`. */
async function storeBatch(
  saving: Saving,
  db: Database,
  batch: readonly NewestRow[],
  arrays: Record<string, string>,
  results: (SavedRow | undefined)[],
): Promise<void> {
  const { name, statement } = saving;
  const pending = new Map(batch.map((row) => [row.id, row]));
  for (let tries = 0; pending.size > 0; tries++) {
    if (tries === maxTries) throw neverStored(name, pending.size);
    const sent = tries === 0 ? arrays : arraysOf(saving, [...pending.values()]);
    for (const { id, outcome } of await retryOnHandle(db, () => statement.list(db, sent))) {
      const row = pending.get(id);
      if (row === undefined) throw new TypeError(`${name}: a row came back that was not sent`);
      results[row.position] = { outcome, id };
      for (const position of row.older) results[position] = { outcome: 'stale', id };
      pending.delete(id);
    }
  }
}

/** Of many rows, a place in the input is hard to find again; the id is not. */
function namingRows(encode: (row: unknown, position: number) => EncodedRow) {
  return (row: unknown, position: number): EncodedRow => {
    try {
      return encode(row, position);
    } catch (error) {
      const id = typeof row === 'object' && row !== null && 'id' in row ? row.id : undefined;
      if (!(error instanceof InvalidArgumentError) || typeof id !== 'string') throw error;
      const named = `row ${position} (id ${JSON.stringify(id.slice(0, 100))})`;
      throw new InvalidArgumentError(error.message.replace(`row ${position}`, () => named));
    }
  };
}

function columnOf(columns: readonly InputColumn[], key: string): InputColumn {
  const found = columns.find((column) => column.key === key);
  if (found === undefined) throw new TypeError(`rows without ${key} can't be saved`);
  return found;
}

function done(row: SavedRow | undefined): SavedRow {
  if (row === undefined) throw new TypeError('a row was neither saved nor refused');
  return row;
}
