import { type Database, isTransaction } from './database.ts';
import { DatabaseError } from './errors.ts';
import type { EncodedRow } from './row-encoder.ts';

/** One round trip: enough rows that its cost does not count, few enough that a statement takes well under a second. */
export const maxBatchRows = 5_000;
/** Rows with large JSON: characters of one statement, far below PostgreSQL's limit of a gigabyte for a message. */
export const maxBatchLength = 8_000_000;
/** Whatever else writes the same rows at the same moment has ended, or failed, long before. */
export const maxTries = 10;

/** A batch is more than a socket takes at once; making the next one any sooner would keep the server waiting. */
const sendingMs = 10;

/** About how many characters a row is sent as. */
export function lengthOf(values: EncodedRow): number {
  let length = 0;
  for (const value of values) length += typeof value === 'string' ? value.length : 20;
  return length;
}

/** Cuts rows into batches, lazily. */
export function* cutBatches<R extends { readonly values: EncodedRow }>(
  rows: readonly R[],
): Generator<R[], undefined> {
  let batch: R[] = [];
  let length = 0;
  for (const row of rows) {
    const size = lengthOf(row.values);
    if (batch.length >= maxBatchRows || (batch.length > 0 && length + size > maxBatchLength)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(row);
    length += size;
  }
  if (batch.length > 0) yield batch;
}

/**
 * Stores batches one after the other. While the server works on one, the next is prepared: once the driver has had the
 * time to send all of it.
 */
export async function storeInTurn<B, P>(
  batches: Iterable<B>,
  prepare: (batch: B) => P,
  store: (batch: B, prepared: P) => Promise<void>,
): Promise<void> {
  const rest = batches[Symbol.iterator]();
  const prepareNext = () => {
    const { done, value } = rest.next();
    return done ? undefined : { batch: value, prepared: prepare(value) };
  };
  let next = prepareNext();
  while (next !== undefined) {
    const stored = store(next.batch, next.prepared);
    await Promise.race([stored, new Promise((resolve) => setTimeout(resolve, sendingMs))]);
    next = prepareNext();
    await stored;
  }
}

/** A batch that lost a deadlock has changed nothing; only on a handle is it ours to try again. */
export async function retryOnHandle<T>(db: Database, send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      const isOurs = error instanceof DatabaseError && !isTransaction(db) && tries < maxTries;
      if (!isOurs || (error.code !== 'deadlock' && error.code !== 'serialization_failure')) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * tries));
    }
  }
}

/** Rows that the server has neither stored nor explained, time and again. */
export function neverStored(query: string, count: number): DatabaseError {
  return new DatabaseError(query, {
    code: 'serialization_failure',
    message: `${query}: ${count} rows were refused ${maxTries} times by nothing that is there: rows came and went, or a trigger keeps them out`,
  });
}
