import type { SQL } from 'drizzle-orm';
import type { PgSession } from 'drizzle-orm/pg-core';
import { type Call, callOf } from './call.ts';
import { InvalidArgumentError } from './errors.ts';
import { propertyOf } from './property.ts';
import { isSession, sessionOf } from './session.ts';

/**
 * What every query runs on: a Drizzle PostgreSQL handle (postgres.js, node-postgres, PGlite, Neon), or a transaction of
 * one, of Drizzle 0.45 or 1.0. The schema that the handle was created with makes no difference.
 *
 * Of a handle of `withReplicas` the functions that only read (`find…`, `list…`, `has…`, `stream…`) use a replica, which may be
 * behind, and the others the primary. A read that has to see what was just written takes `db.$primary`.
 */
export interface Database {
  // The class by its constructor: it has type parameters in 0.45 and none in 1.0. What gives no promise (a handle of
  // Effect has such a session, too) is left out by the second half.
  readonly _: {
    readonly session: InstanceType<typeof PgSession> & { execute(query: SQL): Promise<unknown> };
  };
  /** True on a handle of `withoutPreparedStatements`. */
  readonly [isUnprepared]?: true;
  /** On the handle that the statements of one call go through. */
  readonly [callOf]?: Call;
}

export const isUnprepared = Symbol('queries of multi-pair-db are not prepared');

/** What takes row locks runs on this alone: outside a transaction the locks would be gone before the call returns. */
export interface Transaction extends Database {
  /** Only a transaction has it; it tells the two types apart. */
  rollback(): never;
}

/** By the one method that a transaction has and a handle has not, in every version of Drizzle. */
export const isTransaction = (db: Database): boolean => typeof propertyOf(db, 'rollback') === 'function';

/** For callers without types: a plain handle is refused at run time too. */
export function checkTransaction(tx: Transaction, caller: string): void {
  if (isTransaction(tx)) return;
  throw new InvalidArgumentError(
    `${caller} takes a transaction, because it holds row locks until that ends: db.transaction((tx) => ${caller}(tx, …)). ` +
      'A handle of neon-http has none; one of drizzle-orm/neon-serverless has',
  );
}

/**
 * The same handle (or transaction), on which the queries of this package are not prepared under a name. For
 * a pooler in transaction mode (pgbouncer, Supavisor, RDS Proxy), which gives each transaction another connection: a
 * statement that was prepared on one is not there on the next, or is there already. The server then plans each call anew.
 *
 * All else is as on `db`: what Drizzle itself sends, `transaction` (whose transactions are without prepared statements,
 * too), and their types. On node-postgres and PGlite `db` itself is left as it is.
 *
 * postgres.js prepares also what it sends by itself, `commit` among it: a commit that the pooler's connection does not
 * know is refused, sent again, and then ends a transaction that has failed, without an error. So there this switches the
 * option `prepare` of the client off, as if it had been connected with `postgres(url, { prepare: false })`, which is the
 * better way where it is in your hands; then this function need not be called.
 *
 * @example
 * import { drizzle } from 'drizzle-orm/postgres-js';
 *
 * const db = withoutPreparedStatements(drizzle(process.env['DATABASE_URL'] ?? ''));
 * await db.transaction((tx) => claimSessionsToSettle(tx, { limit: 10 }));
 * @throws InvalidArgumentError if `db` is no Drizzle handle
 */
export function withoutPreparedStatements<D extends Database>(db: D): D {
  const session = sessionOf(db);
  if (!isSession(session)) {
    throw new InvalidArgumentError(
      'withoutPreparedStatements takes a Drizzle handle, or a transaction of one',
    );
  }
  const options = propertyOf(propertyOf(session, 'client'), 'options');
  if (propertyOf(options, 'prepare') === true) Object.assign(Object(options), { prepare: false });
  const properties: PropertyDescriptorMap = { [isUnprepared]: { value: true } };
  const begin = propertyOf(db, 'transaction');
  if (typeof begin === 'function') {
    const transaction = (work: (tx: Transaction) => unknown, ...config: readonly unknown[]): unknown =>
      begin.call(db, (tx: Transaction) => work(withoutPreparedStatements(tx)), ...config);
    properties['transaction'] = { value: transaction, writable: true, configurable: true };
  }
  return Object.create(db, properties);
}
