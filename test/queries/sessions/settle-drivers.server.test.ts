import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, test } from 'vitest';
import { setSessionStatus, settleSessions } from '../../../src/queries/index.ts';
import { createDatabase } from '../../support/database.ts';
import { connect, drivers } from '../../support/handles.ts';
import { insertUnsettled, noneSettled, settleOnce } from '../../support/unsettled.ts';

test.each(drivers)(
  'PostgreSQL 18, %s: connections that the server ends don’t end the worker',
  async (driver) => {
    await using database = await createDatabase(18, 'migrated');
    await using pool = connect('node-postgres', database.url, 3);
    // Not by `connect`: postgres.js waits for connections that were terminated when it is ended without a time limit.
    const db = driver === 'node-postgres' ? pool.db : drizzle({ client: database.connect({ max: 3 }) });
    await insertUnsettled(db, 60);
    let begun = 0;
    const handler = async (): Promise<void> => {
      if (++begun % 20 !== 0) return;
      await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    };
    const counts = await settleSessions(db, handler, {
      ...settleOnce,
      concurrency: 2,
      retry: { baseDelayMs: 10 },
    });
    const [stored] = await database.sql<{ count: number }[]>`
    select count(*)::integer as count from sessions where settledcomplete`;
    // A claim whose answer was lost with the connection keeps its session from others for a while.
    expect(counts).toEqual({ ...noneSettled, settled: stored?.count });
    expect(counts.settled).toBeGreaterThan(50);
  },
);

test.each(drivers)('PostgreSQL 18, %s: in the transaction, a commit that fails', async (driver) => {
  await using database = await createDatabase(18, 'migrated');
  await using pool = connect(driver, database.url, 3);
  await insertUnsettled(pool.db, 3);
  // s0 fails at each commit, s1 at the first two, in a way that a new transaction overcomes.
  await database.sql.unsafe(`
    create sequence tries;
    create function refuse() returns trigger language plpgsql as $$ begin
      if new.id = 's0' then raise 'never' using errcode = 'check_violation'; end if;
      if new.id = 's1' and nextval('tries') <= 2 then raise 'not now' using errcode = 'serialization_failure'; end if;
      return null;
    end $$;
    create constraint trigger refuse after update of status on sessions deferrable initially deferred
      for each row execute function refuse();`);
  const [runs, told]: [string[], unknown[]] = [[], []];
  const counts = await settleSessions(
    pool.db,
    async ({ id }, { tx }) => {
      runs.push(id);
      await setSessionStatus(tx, { sessionId: id, status: 'settled' });
    },
    {
      ...settleOnce,
      transaction: true,
      retry: { baseDelayMs: 1 },
      onError: (error, { id }) => void told.push([id, error instanceof Error]),
    },
  );
  expect(counts).toEqual({ ...noneSettled, settled: 2, failed: 1 });
  expect(runs).toEqual(['s0', 's1', 's1', 's1', 's2']);
  expect(told).toEqual([['s0', true]]);
  const rows = await database.sql`
    select id, status, settledcomplete, lastsettleattempt is null as untried from sessions order by id`;
  expect(rows).toEqual([
    { id: 's0', status: null, settledcomplete: false, untried: false },
    { id: 's1', status: 'settled', settledcomplete: true, untried: false },
    { id: 's2', status: 'settled', settledcomplete: true, untried: false },
  ]);
});
