/**
 * Typed queries on the multi-pair schema. Each takes a Drizzle PostgreSQL handle (or a transaction) first and one options
 * object second; times are epoch milliseconds.
 */
export type { Database, Transaction } from './database.ts';
export {
  DatabaseError,
  InvalidArgumentError,
  NotFoundError,
  QueryError,
  type QueryErrorCode,
} from './errors.ts';
export type { SessionKey } from './keyset.ts';
