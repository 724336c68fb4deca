import { is } from 'drizzle-orm';
import { type PgQueryResultHKT, type PgSession, PgTransaction } from 'drizzle-orm/pg-core';
import { InvalidArgumentError } from './errors.ts';

/**
 * What every query runs on: a Drizzle PostgreSQL handle (postgres.js, node-postgres, PGlite, Neon), or a transaction of
 * one. The schema that the handle was created with makes no difference.
 */
export interface Database {
  readonly _: { readonly session: PgSession<PgQueryResultHKT, Record<string, unknown>, TablesOfAny> };
}

/** What takes row locks runs on this alone: outside a transaction the locks would be gone before the call returns. */
export interface Transaction extends Database {
  /** Only a transaction has it; it tells the two types apart. */
  rollback(): never;
}

type TablesOfAny = NonNullable<ConstructorParameters<typeof PgTransaction>[2]>['schema'];

/** For callers without types: a plain handle is refused at run time too. */
export function checkTransaction(tx: Transaction, caller: string): void {
  if (is(tx, PgTransaction)) return;
  throw new InvalidArgumentError(
    `${caller} takes a transaction, because it holds row locks until that ends: db.transaction((tx) => ${caller}(tx, …))`,
  );
}
