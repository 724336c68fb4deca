import { sql } from 'drizzle-orm';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  DatabaseError,
  insertOrders,
  insertSession,
  listOrders,
  recordSettlement,
  withoutPreparedStatements,
} from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { connect, connectOne, drivers, type Handle, type OpenHandle } from '../../support/handles.ts';
import { hasPgbouncer, startPgbouncer, type TestPooler } from '../../support/pgbouncer.ts';
import { selectAll } from '../suites/variants.ts';

const calls = 240;

/** Reads, writes and transactions, all at once; gives what went wrong. */
async function callAtOnce(db: Handle, name: string): Promise<unknown[]> {
  const work = Array.from({ length: calls }, async (_, i) => {
    const order = { id: `${name} ${i}`, sessionId: 's', symbol: 'A', status: 'open' };
    if (i % 3 === 0) return insertOrders(db, [order]);
    // Half of them in time: a limit that outlived its transaction would be another client's.
    const timeoutMs = i % 2 === 0 ? 60_000 : undefined;
    if (i % 3 === 1) return listOrders(db, { sessionId: 's', symbol: 'A', limit: 1 + (i % 7), timeoutMs });
    return db.transaction(async (tx) => {
      await insertOrders(tx, [order]);
      await recordSettlement(tx, { sessionId: 's', complete: false });
      expect(await listOrders(tx, { sessionId: 's', status: 'OPEN', limit: 1 })).toHaveLength(1);
    });
  });
  const settled = await Promise.allSettled(work);
  return settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
}

describe.skipIf(!hasPgbouncer)(
  'behind a pgbouncer in transaction mode (skipped where it is not installed)',
  () => {
    let database: TestDatabase;
    let pooler: TestPooler;
    beforeAll(async () => {
      database = await createDatabase(18, 'migrated');
      pooler = await startPgbouncer(inject('serverPorts')[18], 'transaction');
      await using direct = connect('postgres.js', database.url, 1);
      await insertSession(direct.db, { id: 's' });
    });
    afterAll(async () => {
      await pooler[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    });
    const count = async (name: string) =>
      (await database.sql`select count(*)::integer as n from orders where id like ${`${name} %`}`)[0]?.['n'];

    test.each(drivers)('%s: all of 240 calls succeed without prepared statements', async (driver) => {
      await using client = connect(driver, pooler.url(database.name), 40);
      expect(await callAtOnce(withoutPreparedStatements(client.db), driver)).toEqual([]);
      expect(await count(driver)).toBe((calls * 2) / 3);
      expect(await selectAll(client.db, 'show statement_timeout')).toEqual([{ statement_timeout: '0' }]);
      const prepared = await selectAll(
        client.db,
        `select name from pg_prepared_statements where name like 'mpdb%'`,
      );
      expect(prepared).toEqual([]);
    });

    test('postgres.js: so do they with prepare: false', async () => {
      const client = postgres(pooler.url(database.name), { max: 40, prepare: false });
      await using handle: OpenHandle = {
        db: drizzlePostgresJs({ client }),
        [Symbol.asyncDispose]: () => client.end(),
      };
      expect(await callAtOnce(handle.db, 'unprepared')).toEqual([]);
      expect(await count('unprepared')).toBe((calls * 2) / 3);
    });

    test('node-postgres, with names: a call by itself is sent again, a transaction says what to do', async () => {
      await using client = connect('node-postgres', pooler.url(database.name), 40);
      const errors = await callAtOnce(client.db, 'named');
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) {
        expect(error).toBeInstanceOf(DatabaseError);
        expect(error).toMatchObject({
          code: 'prepared_statement',
          sqlState: expect.stringMatching(/^(42P05|26000)$/),
          isRetryable: true,
          message: expect.stringContaining('withoutPreparedStatements'),
        });
      }
      // What failed is a transaction: no call by itself is among them, and none was stored twice or half.
      expect(errors.length).toBeLessThanOrEqual(calls / 3);
      expect(await count('named')).toBe((calls * 2) / 3 - errors.length);
    });
  },
);

test.each(drivers)('%s: statements that somebody deallocates are sent again', async (driver) => {
  await using database = await createDatabase(18, 'migrated');
  await using client = await connectOne(driver, database.url);
  const { db } = client;
  await insertSession(db, { id: 's' });
  for (let i = 0; i < 3; i++) {
    await insertOrders(db, [{ id: `o${i}`, sessionId: 's' }]);
    expect(await listOrders(db, { sessionId: 's' })).toHaveLength(i + 1);
    await db.execute(sql`deallocate all`);
  }
  // In a transaction nothing can be sent again: it has failed. Nor in one that we can't see.
  await listOrders(db, { sessionId: 's' });
  await db.execute(sql`begin`);
  await db.execute(sql`deallocate all`);
  await expect(listOrders(db, { sessionId: 's' })).rejects.toMatchObject({
    code: 'prepared_statement',
    sqlState: '26000',
  });
  await db.execute(sql`rollback`);
  await listOrders(db, { sessionId: 's' });
  const inTransaction = db.transaction(async (tx) => {
    await tx.execute(sql`deallocate all`);
    return listOrders(tx, { sessionId: 's' });
  });
  await expect(inTransaction).rejects.toMatchObject({ code: 'prepared_statement', isRetryable: true });
  expect(await listOrders(db, { sessionId: 's' })).toHaveLength(3);
});

test.each(drivers)('%s: a handle without prepared statements is one in all else', async (driver) => {
  await using database = await createDatabase(18, 'migrated');
  await using client = connect(driver, database.url, 1);
  const db = withoutPreparedStatements(withoutPreparedStatements(client.db));
  await insertSession(db, { id: 's' });
  const given = await db.transaction(async (tx) => {
    await insertOrders(tx, [{ id: 'kept', sessionId: 's' }]);
    return selectAll(tx, 'select count(*)::integer as n from orders');
  });
  expect(given).toEqual([{ n: 1 }]);
  const undone = db.transaction(async (tx) => {
    await insertOrders(tx, [{ id: 'undone', sessionId: 's' }]);
    tx.rollback();
  });
  await expect(undone).rejects.toThrow(/rollback/i);
  expect((await listOrders(db, { sessionId: 's' })).map(({ id }) => id)).toEqual(['kept']);
  // Nor does the driver prepare its own begin and commit.
  expect(await selectAll(db, `select name, statement from pg_prepared_statements`)).toEqual([]);
});
