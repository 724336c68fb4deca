import type { Database, Transaction } from './database.ts';
import { InvalidArgumentError } from './errors.ts';
import { propertyOf } from './property.ts';

/**
 * Runs `work` in a transaction of the handle, as `db.transaction` does.
 *
 * @throws InvalidArgumentError if it has none; else what `work`, or the way to the server, throws
 */
export async function beginTransaction<T>(
  db: Database,
  caller: string,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const begin = propertyOf(db, 'transaction');
  if (typeof begin !== 'function') throw withoutTransactions(caller);
  try {
    return await begin.call(db, work);
  } catch (error) {
    throw explainRefusal(error, caller);
  }
}

/** What the driver of a handle without transactions throws, in words that say what has them; else the error itself. */
export const explainRefusal = (error: unknown, caller: string): unknown =>
  isRefusal(error) ? withoutTransactions(caller) : error;

/** Drizzle's own words, on neon-http, pg-proxy and xata-http: an error of no class and no code. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  error.constructor === Error &&
  /^(no transactions support|transactions are not supported)/i.test(error.message);

const withoutTransactions = (caller: string): InvalidArgumentError =>
  new InvalidArgumentError(
    `${caller} needs a transaction, and this handle has none: its driver sends each statement by itself, as neon-http does. ` +
      'Use a handle of drizzle-orm/neon-serverless, node-postgres or postgres-js',
  );
