import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  insertOrders,
  insertSession,
  PartialSaveError,
  saveOrders,
  saveSessions,
} from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { untilLockWait } from '../../support/lock-waits.ts';
import { deliveriesOf, newestOf, versionedSession } from '../../support/order-versions.ts';
import { saveDeliveries } from '../../support/save-deliveries.ts';
import { serverVersions } from '../../support/server.ts';
import { shuffle } from '../../support/tape.ts';

describe.each(serverVersions)('PostgreSQL %i, several at once', (version) => {
  let database: TestDatabase;
  let other: Sql;
  let db: ReturnType<typeof drizzle>;
  beforeAll(async () => {
    database = await createDatabase(version, 'migrated');
    // It is never the one that a deadlock ends.
    other = database.connect({ max: 1, connection: { deadlock_timeout: 60_000 } });
    db = drizzle(database.connect({ max: 1 }));
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(() => database.sql`truncate sessions, orders, fills`);

  const statuses = () => database.sql`select id, status, size from orders order by id`;

  test('four connections save the same orders, shuffled, repeated and stale: the newest of each is stored, no deadlock', async () => {
    await insertSession(db, versionedSession);
    const [before] =
      await database.sql`select deadlocks from pg_stat_database where datname = current_database()`;
    const seeds = [1, 2, 3, 4];
    const outcomes = await Promise.all(
      seeds.map((seed) => saveDeliveries(drizzle(database.connect({ max: 1 })), 200, 12, seed)),
    );
    const deliveries = seeds.flatMap((seed) => deliveriesOf(200, 12, seed));
    const newest = newestOf(deliveries);
    const rows = await database.sql`
      select id, symbol, status, filledsize, lastupdated::int as at, pair_index from orders`;
    expect(new Map(rows.map(({ id, ...row }) => [id, row]))).toEqual(
      new Map(
        [...newest].map(([id, { symbol, status, filledSize, lastUpdated }]) => [
          id,
          { symbol, status, filledsize: filledSize, at: lastUpdated, pair_index: symbol === 'A' ? 0 : 1 },
        ]),
      ),
    );
    const total = (outcome: 'inserted' | 'updated' | 'unchanged' | 'stale') =>
      outcomes.reduce((sum, counts) => sum + counts[outcome], 0);
    expect(total('inserted')).toBe(200);
    expect(total('inserted') + total('updated') + total('unchanged') + total('stale')).toBe(
      deliveries.length,
    );
    expect(total('stale')).toBeGreaterThan(0);
    const [after] =
      await database.sql`select deadlocks from pg_stat_database where datname = current_database()`;
    expect(after).toEqual(before);
  });

  test('what somebody makes newer meanwhile is stale, and what he leaves is not', async () => {
    await insertOrders(db, [
      { id: 'a', status: 'open', lastUpdated: 1 },
      { id: 'b', status: 'open', size: 1, lastUpdated: 1 },
    ]);
    await other`begin`;
    await other`update orders set status = 'theirs', lastupdated = 5 where id = 'a'`;
    await other`update orders set size = 7 where id = 'b'`;
    const saving = saveOrders(db, [
      { id: 'b', status: 'ours', lastUpdated: 3 },
      { id: 'a', status: 'ours', lastUpdated: 3 },
    ]);
    await untilLockWait(database.sql);
    await other`commit`;
    expect(await saving).toEqual([
      { outcome: 'updated', id: 'b' },
      { outcome: 'stale', id: 'a' },
    ]);
    expect(await statuses()).toEqual([
      { id: 'a', status: 'theirs', size: null },
      { id: 'b', status: 'ours', size: 7 },
    ]);
  });

  test('an order that is inserted meanwhile is changed, or stale, as if it had been there', async () => {
    await other`begin`;
    await other`insert into orders (id, status, size, lastupdated) values ('a', 'theirs', 2, 1), ('b', 'theirs', 2, 9)`;
    const saving = saveOrders(db, [
      { id: 'a', status: 'ours', lastUpdated: 3 },
      { id: 'b', status: 'ours', lastUpdated: 3 },
      { id: 'c', status: 'ours', lastUpdated: 3 },
    ]);
    await untilLockWait(database.sql);
    await other`commit`;
    expect((await saving).map(({ outcome }) => outcome)).toEqual(['updated', 'stale', 'inserted']);
    expect(await statuses()).toEqual([
      { id: 'a', status: 'ours', size: 2 },
      { id: 'b', status: 'theirs', size: 2 },
      { id: 'c', status: 'ours', size: null },
    ]);
  });

  test('a batch that loses a deadlock is sent again, and in a transaction it is thrown', async () => {
    const meet = async (save: () => Promise<unknown>) => {
      await other`begin`;
      await other`update orders set status = 'theirs' where id = 'b'`;
      const saving = save().catch((error: unknown) => error);
      await untilLockWait(database.sql);
      await other`update orders set status = 'theirs' where id = 'a'`;
      await other`commit`;
      return saving;
    };
    await insertOrders(db, [{ id: 'a' }, { id: 'b' }]);
    const rows = (status: string) => [
      { id: 'b', status },
      { id: 'a', status },
    ];
    expect(await meet(() => saveOrders(db, rows('once')))).toMatchObject([
      { outcome: 'updated' },
      { outcome: 'updated' },
    ]);
    expect(await meet(() => db.transaction((tx) => saveOrders(tx, rows('again'))))).toMatchObject({
      code: 'deadlock',
      isRetryable: true,
    });
  });

  test('a batch that fails after others says which rows are stored', async () => {
    const rows = Array.from({ length: 7000 }, (_, i) => ({
      id: `o${String(9999 - i)}`,
      sessionId: i === 100 ? 'nowhere' : null,
    }));
    const error: unknown = await saveOrders(db, rows).catch((thrown) => thrown);
    if (!(error instanceof PartialSaveError)) throw new Error(`not a PartialSaveError, but ${String(error)}`);
    expect(error).toMatchObject({
      code: 'foreign_key_violation',
      constraint: 'fk_orders_sessionid',
      query: 'saveOrders',
    });
    expect(error.message).toMatch(/5000 of the 7000 rows are saved all the same/);
    const stored = await database.sql<{ id: string }[]>`select id from orders`;
    const said = error.saved.flatMap((row) => (row === undefined ? [] : [row.id]));
    expect(said.toSorted()).toEqual(stored.map(({ id }) => id).toSorted());
    expect(error.saved[0]).toBeUndefined();
    expect(error.saved.at(-1)).toEqual({ outcome: 'inserted', id: 'o3000' });
  });

  test('pairs are reordered while their orders are saved: whoever loses a deadlock tries again, and all is stored', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `o${i}`);
    const orders = (version: number) =>
      shuffle(ids, version).map((id) => ({
        id,
        sessionId: 's',
        symbol: 'B',
        filledSize: version,
        lastUpdated: version,
      }));
    await insertSession(db, { id: 's', pairs: ['A', 'B'] });
    await saveOrders(db, orders(0));
    const second = drizzle(database.connect({ max: 1 }));
    const rounds = Array.from({ length: 60 }, (_, i) => i + 1);
    const saveAll = async () => {
      for (const round of rounds) await saveOrders(db, orders(round));
    };
    const reorderAll = async () => {
      for (const round of rounds) {
        await saveSessions(second, [
          { id: 's', pairs: round % 2 === 0 ? ['A', 'B'] : ['B', 'A'], lastUpdated: round },
        ]);
      }
    };
    await Promise.all([saveAll(), reorderAll()]);
    const stored =
      await database.sql`select distinct filledsize, lastupdated::int as at, pair_index from orders`;
    expect(stored).toEqual([{ filledsize: 60, at: 60, pair_index: 1 }]);
  });

  test('a trigger that keeps an order out ends in an error, not in a wrong answer', async () => {
    await database.sql.unsafe(`
      create function keep_out() returns trigger language plpgsql as 'begin return null; end';
      create trigger keep_out before insert on orders for each row when (new.id = 'out') execute function keep_out()`);
    try {
      await expect(saveOrders(db, [{ id: 'in' }, { id: 'out' }])).rejects.toMatchObject({
        code: 'serialization_failure',
        saved: [{ outcome: 'inserted', id: 'in' }, undefined],
      });
    } finally {
      await database.sql`drop function keep_out cascade`;
    }
  });
});
