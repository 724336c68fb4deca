import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Database, Transaction } from '../../../src/queries/index.ts';
import { emptyTables, type Handle, type OpenHandle } from '../../support/handles.ts';

/** Runs a test's work on a plain handle, or inside a transaction of it. */
export type Run = (work: (db: Database & Pick<Handle, 'execute'>) => Promise<void>) => Promise<void>;
/** Runs it inside a transaction in any case. */
export type RunInTransaction = (
  work: (tx: Transaction & Pick<Handle, 'execute'>) => Promise<void>,
) => Promise<void>;

/** Each suite of rows, on a plain handle and inside transactions, with empty tables before each test. */
export function describeVariants(
  name: string,
  open: () => Promise<OpenHandle>,
  suites: readonly ((run: Run, inTransaction: RunInTransaction) => void)[],
): void {
  describe(name, () => {
    let handle: OpenHandle;
    beforeAll(async () => {
      handle = await open();
    });
    afterAll(() => handle[Symbol.asyncDispose]());
    beforeEach(() => emptyTables(handle.db));

    const inTransaction: RunInTransaction = (work) => handle.db.transaction(work);
    describe('on a handle', () => {
      for (const suite of suites) suite((work) => work(handle.db), inTransaction);
    });
    describe('in a transaction', () => {
      for (const suite of suites) suite(inTransaction, inTransaction);
    });
  });
}

/** Rows as PostgreSQL has them, whatever the shape in which a driver gives them. */
export async function selectAll(db: Pick<Handle, 'execute'>, query: string): Promise<unknown[]> {
  const result = await db.execute(sql.raw(query));
  if (Array.isArray(result)) return [...result];
  if (typeof result === 'object' && result !== null && 'rows' in result && Array.isArray(result.rows)) {
    return result.rows;
  }
  throw new Error('the driver gave no rows');
}
