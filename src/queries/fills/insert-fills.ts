import { checkBoolean } from '../core/arguments.ts';
import { maxTries, neverStored, retryOnHandle, storeInTurn } from '../core/batches.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { encodeRows } from '../core/row-encoder.ts';
import { listAlikeFills } from './alike-fills.ts';
import { arraysOf, cutFillBatches, type FillBatch, type PendingFill } from './fill-batches.ts';
import { encodeFill, type FillInput } from './fill-input.ts';
import { insertBatch } from './insert-fills-statement.ts';

/** What became of one fill of the input. */
export interface FillInsertion {
  /**
   * - `inserted`: it is stored.
   * - `duplicate`: it was there already, as the row `id`: with the same id and content, or the same identity.
   * - `conflict`: a row with its id says something else; that row was left as it is, and this fill is not stored.
   */
  readonly outcome: 'inserted' | 'duplicate' | 'conflict';
  /** The stored row. */
  readonly id: string;
}

/** The same, where alike fills were asked for. */
export interface FillInsertionWithAlike extends FillInsertion {
  /** Ids of stored fills that are equal in all of the identity but the venue's id; 100 at most, in order. */
  readonly alike: readonly string[];
}

const startInsertFills = defineCall<CallOptions & { reportAlike?: boolean }>('insertFills', 'primary', {
  reportAlike: true,
});

/**
 * Inserts fills, any number of them, and says for each what became of it, in the order of the input.
 *
 * Idempotent: the same fills again are all `duplicate`. Two fills are one execution if they agree in `fillIdentity`
 * (session, order, symbol, side, timestamp, price, size, the venue's id; sides without case, prices and sizes as
 * float4); a fill without symbol, timestamp, price or size can't be identified, and is a duplicate by its `id` alone.
 * Content is all columns but `createdAt` and `lastUpdated`; one that a row leaves out has its default. The outcome is as if the rows had been inserted one after
 * the other.
 *
 * Rows are all checked before the first is sent. They go in batches of up to 5,000, one round trip each (a second one if
 * another transaction was inserting the same fill, or where `reportAlike` asks). On a handle each batch is a transaction
 * of its own: after an error the batches before it are stored, and the whole call can safely be made again. In a
 * transaction all is as atomic as that. Any number of processes may insert the same fills at once: a deadlock or a
 * serialization failure of a batch is tried again on a handle, and thrown in a transaction, which must begin again.
 *
 * `reportAlike` also names stored fills that are equal in all but the venue's id, looked up after the batch is stored, so
 * that of two services that hear of one execution from two sources at least one is told.
 *
 * Index: `idx_fills_unique_dedup`, and the primary key.
 *
 * @throws {InvalidArgumentError} `invalid_argument`: a row is malformed; nothing was sent.
 * @throws {DatabaseError} among others `foreign_key_violation`: the session or order of a row does not exist.
 * @example
 * const results = await insertFills(db, [
 *   { id: 'a', sessionId: 's1', orderId: 'o1', symbol: 'BTC/USD', side: 'buy', price: '61837.63', size: '0.02',
 *     tradeId: '3735683259', timestamp: 1723161255342 },
 * ]);
 * for (const { outcome, id } of results) if (outcome === 'conflict') throw new Error(`fill ${id} says something else`);
 */
export function insertFills(
  db: Database,
  rows: readonly FillInput[],
  options: CallOptions & { readonly reportAlike: true },
): Promise<FillInsertionWithAlike[]>;
export function insertFills(
  db: Database,
  rows: readonly FillInput[],
  options?: CallOptions & { readonly reportAlike?: false },
): Promise<FillInsertion[]>;
export async function insertFills(
  db: Database,
  rows: readonly FillInput[],
  options: CallOptions & { readonly reportAlike?: boolean } = {},
): Promise<FillInsertion[]> {
  const call = startInsertFills(db, options);
  const reportAlike = checkBoolean('reportAlike', options.reportAlike ?? false);
  const encoded = encodeRows(rows, encodeFill);
  const results = new Array<FillInsertion>(rows.length);
  const arraysOfBatch = (batch: FillBatch) => arraysOf(batch.rows);
  await storeInTurn(cutFillBatches(encoded), arraysOfBatch, async ({ rows: sent, repeats }, arrays) => {
    await storeBatch(call, sent, arrays, results);
    if (reportAlike) await addAlike(call, sent, results);
    for (const [position, repeated] of repeats) results[position] = repeatOf(results[repeated]);
  });
  return results;
}

/** Stores the rows of a batch, and writes what became of each to its position in `results`. */
async function storeBatch(
  db: Database,
  batch: readonly PendingFill[],
  arrays: Record<string, string>,
  results: FillInsertion[],
): Promise<void> {
  let pending = batch;
  for (let tries = 0; pending.length > 0; tries++) {
    if (tries === maxTries) throw neverStored('insertFills', pending.length);
    const sent = { ...(tries === 0 ? arrays : arraysOf(pending)), rowCount: pending.length };
    const refused = await retryOnHandle(db, () => insertBatch.list(db, sent));
    for (const { position, values } of pending) {
      results[position] = { outcome: 'inserted', id: String(values[0]) };
    }
    const unexplained = new Set<PendingFill>();
    for (const { ordinal, isSame, twinId } of refused) {
      const row = pending[ordinal - 1];
      if (row === undefined) throw new TypeError(`no row ${ordinal} in a batch of ${pending.length}`);
      const id = isSame === null ? twinId : String(row.values[0]);
      if (id === null) unexplained.add(row);
      else results[row.position] = { outcome: isSame === false ? 'conflict' : 'duplicate', id };
    }
    pending = pending.filter((row) => unexplained.has(row));
  }
}

async function addAlike(
  db: Database,
  batch: readonly PendingFill[],
  results: FillInsertion[],
): Promise<void> {
  const alike = await listAlikeFills(db, batch);
  for (const { position } of batch) {
    results[position] = { ...known(results[position]), alike: alike.get(position) ?? [] } as FillInsertion;
  }
}

function repeatOf(first: FillInsertion | undefined): FillInsertion {
  const result = known(first);
  return result.outcome === 'inserted' ? { ...result, outcome: 'duplicate' } : { ...result };
}

function known(result: FillInsertion | undefined): FillInsertion {
  if (result === undefined) throw new TypeError('a fill was neither inserted nor refused');
  return result;
}
