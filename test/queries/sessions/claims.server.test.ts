import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, test } from 'vitest';
import { claimSessionsToSettle, insertOrders, insertSession } from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { connect } from '../../support/handles.ts';
import { loadSessions } from '../../support/load.ts';
import { serverVersions } from '../../support/server.ts';
import { selectAll } from '../suites/variants.ts';

/** Sessions that never started, or are not to be settled, are not among them. */
const loaded = 12_500;
const options = { startedAfterMs: 0, limit: 100 };

/** A worker that claims and commits until nothing is left. */
async function work(db: ReturnType<typeof drizzle>, othersEnded: Promise<unknown>): Promise<string[]> {
  const claimed: string[] = [];
  for (let isLast = false; ; ) {
    const rows = await db.transaction((tx) => claimSessionsToSettle(tx, options));
    claimed.push(...rows.map(({ id }) => id));
    if (rows.length > 0) continue;
    if (isLast) return claimed;
    await othersEnded;
    isLast = true;
  }
}

/** A worker whose connection the server ends after it has claimed, before it commits. */
async function workAndDie(database: TestDatabase): Promise<number> {
  await using client = connect('node-postgres', database.url, 1);
  let held = 0;
  const died = client.db.transaction(async (tx) => {
    held = (await claimSessionsToSettle(tx, options)).length;
    const [self] = await selectAll(tx, 'select pg_backend_pid() as pid');
    const pid = typeof self === 'object' && self !== null && 'pid' in self ? Number(self.pid) : 0;
    await database.sql`select pg_terminate_backend(${pid})`;
    await tx.execute(sql`select 1`);
  });
  await expect(died).rejects.toThrow();
  return held;
}

test.each(serverVersions)(
  'PostgreSQL %i: eight workers, two killed: none twice, none missed',
  async (version) => {
    await using database = await createDatabase(version, 'migrated');
    await loadSessions(database.sql, loaded, loaded);
    const [expected] = await database.sql<{ count: number }[]>`
    select count(*)::integer as count from sessions where settlesession and startedat is not null`;
    expect(expected?.count).toBeGreaterThanOrEqual(10_000);

    const victims = Promise.all([workAndDie(database), workAndDie(database)]);
    const survivors = Array.from({ length: 6 }, () =>
      work(drizzle({ client: database.connect({ max: 1 }) }), victims),
    );
    const claimed = (await Promise.all(survivors)).flat();

    expect(await victims).toEqual([100, 100]);
    expect(new Set(claimed).size).toBe(claimed.length);
    expect(claimed.length).toBe(expected?.count);
  },
);

test.each(serverVersions)('PostgreSQL %i: a claim holds up no order of the session', async (version) => {
  await using database = await createDatabase(version, 'migrated');
  const db = drizzle({ client: database.sql });
  await insertSession(db, { id: 's', settleSession: true, startedAt: 1, pairs: ['A'] });
  await db.transaction(async (tx) => {
    expect(await claimSessionsToSettle(tx, options)).toHaveLength(1);
    // On another connection of the pool: with FOR UPDATE it would wait for this transaction, which waits for it.
    const stored = await insertOrders(db, [{ id: 'o', sessionId: 's', symbol: 'A' }]);
    expect(stored).toEqual([{ id: 'o', pairIndex: 0 }]);
    expect(
      await db.transaction((other) => claimSessionsToSettle(other, { ...options, retryAfterMs: 0 })),
    ).toEqual([]);
  });
});
