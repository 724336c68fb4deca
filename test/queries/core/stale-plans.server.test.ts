import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import {
  findLatestFill,
  hasOpenSells,
  insertFills,
  listDuplicateFills,
  listFills,
  listFillsInRange,
  listOrders,
  listPairPerformance,
  listPairVolume,
} from '../../../src/queries/index.ts';
import { createDatabase } from '../../support/database.ts';
import { connectOne, drivers, type Handle } from '../../support/handles.ts';
import { migrate } from '../../support/migrations.ts';
import { selectAll } from '../suites/variants.ts';

const range = { fromMs: 0, toMs: 10 };

/** What runs on the single-pair database already: all that reads none of the new columns. */
const calls: readonly ((db: Handle) => Promise<unknown>)[] = [
  (db) => listFills(db, { sessionId: 's' }),
  (db) => listFillsInRange(db, { ...range, symbol: 'A' }),
  (db) => findLatestFill(db, { symbol: 'A' }),
  (db) => listDuplicateFills(db),
  (db) => listPairPerformance(db, { sessionId: 's' }),
  (db) => listPairVolume(db, { ...range, bucket: 'hour' }),
  (db) => hasOpenSells(db, { sessionId: 's' }),
  (db) => insertFills(db, [{ id: 'f', sessionId: 's', symbol: 'A', price: 1, size: 1, timestamp: 1 }]),
];
/** More often than the server needs to keep a plan. */
const rounds = 7;

/** The statements of ours that a connection has prepared, and how often each has run. */
const prepared = (db: Handle) =>
  selectAll(
    db,
    `select pg_backend_pid() as pid, statement, (generic_plans + custom_plans)::integer as runs
     from pg_prepared_statements where statement ~ '(fills|orders)' and statement !~ 'pg_prepared'
     order by statement`,
  );

describe.each(drivers)('%s', (driver) => {
  test('statements that were prepared before 0001 and 0002 go on after them, with the same plans', async () => {
    await using database = await createDatabase(18, 'legacy');
    await using client = await connectOne(driver, database.url);
    const { db } = client;
    await database.sql`insert into sessions (id, symbol) values ('s', 'A')`;
    const results: unknown[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const [i, call] of calls.entries()) results[i] = await call(db);
    }
    const before = await prepared(db);
    expect(before).toHaveLength(calls.length);

    await migrate(database.url);

    for (const [i, call] of calls.entries()) expect(await call(db)).toEqual(results[i]);
    // The same statements on the same connection: none was refused and sent again.
    const once = before.map((row) => Object.assign({}, row, { runs: rounds + 1 }));
    expect(await prepared(db)).toEqual(once);
  });

  test('a column that changes its type is read by the next call; in a transaction the next one', async () => {
    await using database = await createDatabase(18, 'migrated');
    await using client = await connectOne(driver, database.url);
    const { db } = client;
    await database.sql`insert into orders (id, sessionid, price) values ('o', null, 0.1)`;
    await database.sql`insert into sessions (id) values ('s')`;
    await database.sql`update orders set sessionid = 's'`;
    const read = () => listOrders(db, { sessionId: 's' });
    for (let round = 0; round < rounds; round++) await read();

    await database.sql`alter table orders alter column price type double precision`;
    expect(await read()).toMatchObject([{ id: 'o', price: expect.closeTo(0.1) }]);

    for (let round = 0; round < rounds; round++) await read();
    await database.sql`alter table orders alter column price type numeric`;
    const inTransaction = db.transaction(async (tx) => {
      await tx.execute(sql`select 1`);
      return listOrders(tx, { sessionId: 's' });
    });
    const refused: unknown = await inTransaction.catch((error) => error);
    expect(refused).toMatchObject({ code: 'stale_plan', sqlState: '0A000', isRetryable: true });
    expect(await read()).toMatchObject([{ id: 'o' }]);
  });
});
