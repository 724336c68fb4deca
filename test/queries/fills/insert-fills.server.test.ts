import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FillInput, insertFills } from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { untilLockWait } from '../../support/lock-waits.ts';
import { serverVersions } from '../../support/server.ts';

const fill = (id: string, price: number): FillInput => ({ id, symbol: 'X', price, size: 1, timestamp: 1 });

describe.each(serverVersions)('PostgreSQL %i, two sessions at once', (version) => {
  let database: TestDatabase;
  let other: Sql;
  let db: ReturnType<typeof drizzle>;
  beforeAll(async () => {
    database = await createDatabase(version, 'migrated');
    // It is never the one that a deadlock ends.
    other = database.connect({ max: 1, connection: { deadlock_timeout: 60_000 } });
    db = drizzle({ client: database.connect({ max: 1 }) });
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(() => database.sql`truncate fills`);

  const insert = (id: string, price: number) =>
    other`insert into fills (id, symbol, price, size, timestamp) values (${id}, 'X', ${price}, 1, 1)`;

  test('a fill that is committed meanwhile is a duplicate of that row', async () => {
    await other`begin`;
    await insert('theirs', 1);
    const inserting = insertFills(db, [fill('a', 2), fill('ours', 1)], { reportAlike: true });
    await untilLockWait(database.sql);
    await other`commit`;
    expect(await inserting).toEqual([
      { outcome: 'inserted', id: 'a', alike: [] },
      { outcome: 'duplicate', id: 'theirs', alike: [] },
    ]);
  });

  test('a fill that is rolled back meanwhile leaves room', async () => {
    await other`begin`;
    await insert('theirs', 1);
    const inserting = insertFills(db, [fill('ours', 1)]);
    await untilLockWait(database.sql);
    await other`rollback`;
    expect(await inserting).toEqual([{ outcome: 'inserted', id: 'ours' }]);
  });

  test('a batch that loses a deadlock is sent again', async () => {
    await other`begin`;
    await insert('second', 2);
    const inserting = insertFills(db, [fill('a', 1), fill('b', 2)]);
    await untilLockWait(database.sql);
    // Now each waits for the other, until the server ends the statement of insertFills.
    await insert('first', 1);
    await other`commit`;
    expect(await inserting).toEqual([
      { outcome: 'duplicate', id: 'first' },
      { outcome: 'duplicate', id: 'second' },
    ]);
  });

  test('in a transaction the deadlock is thrown, and nothing of it is left', async () => {
    await other`begin`;
    await insert('second', 2);
    const inserting = db
      .transaction((tx) => insertFills(tx, [fill('a', 1), fill('b', 2)]))
      .catch((error: unknown) => error);
    await untilLockWait(database.sql);
    await insert('first', 1);
    await other`commit`;
    expect(await inserting).toMatchObject({ code: 'deadlock', isRetryable: true });
  });

  test('a snapshot that is too old is a serialization failure, never a wrong answer', async () => {
    const error = await db
      .transaction(
        async (tx) => {
          await tx.execute(sql`select 1`);
          await insert('theirs', 1);
          return insertFills(tx, [fill('ours', 1)]);
        },
        { isolationLevel: 'repeatable read' },
      )
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'serialization_failure', isRetryable: true });
  });
});
