import { expect, test } from 'vitest';
import { insertSession, type SessionSummary, settleSessions } from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { connect } from '../../support/handles.ts';
import { serverVersions } from '../../support/server.ts';
import { workerRetryAfterMs } from '../../support/settle-worker.ts';
import { prepareSettleWorkers } from '../../support/settle-workers.ts';
import { insertUnsettled, noneSettled, settleOnce } from '../../support/unsettled.ts';
import { until } from '../../support/waiting.ts';

const countOf = async ({ sql }: TestDatabase, state: 'settled' | 'untried'): Promise<number> => {
  const condition = state === 'settled' ? sql`settledcomplete` : sql`lastsettleattempt is null`;
  const [row] = await sql<
    { count: number }[]
  >`select count(*)::integer as count from sessions where ${condition}`;
  return row?.count ?? 0;
};
const abortOf = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));

test.each(serverVersions)(
  'PostgreSQL %i: workers of both kinds, on connections of their own: none twice, none at once, none missed',
  async (version) => {
    await using database = await createDatabase(version, 'migrated');
    await using pools = connect('postgres.js', database.url, 5);
    await using others = connect('node-postgres', database.url, 5);
    await insertUnsettled(pools.db, 200);
    const [runs, atWork]: [string[], Set<string>] = [[], new Set()];
    const handler = async ({ id }: SessionSummary): Promise<void> => {
      expect(atWork.has(id)).toBe(false);
      atWork.add(id);
      runs.push(id);
      await new Promise((resolve) => setTimeout(resolve, 2));
      atWork.delete(id);
      if (id.endsWith('7')) throw new Error('poisoned');
    };
    const options = { ...settleOnce, concurrency: 4, onError: () => {} };
    const counts = await Promise.all([
      settleSessions(pools.db, handler, options),
      settleSessions(others.db, handler, { ...options, transaction: true }),
    ]);
    expect(runs).toHaveLength(200);
    expect(new Set(runs).size).toBe(200);
    for (const { settled } of counts) expect(settled).toBeGreaterThan(20);
    expect(counts[0].settled + counts[1].settled).toBe(180);
    expect(counts[0].failed + counts[1].failed).toBe(20);
    expect(await countOf(database, 'settled')).toBe(180);
  },
);

test('PostgreSQL 18: the session of a worker process that was killed comes back', async () => {
  await using database = await createDatabase(18, 'migrated');
  await using pool = connect('postgres.js', database.url);
  await insertSession(pool.db, { id: 's', settleSession: true, startedAt: 1 });
  await using workers = await prepareSettleWorkers(database.url);
  const victim = await workers.start(1);
  victim.begin();
  await until(async () => victim.begun() === 1, 'the process is at the session');
  const options = { startedAfterMs: 0, retryAfterMs: workerRetryAfterMs };
  const handler = () => Promise.resolve();
  expect(await settleSessions(pool.db, handler, { ...options, whenIdle: 'end' })).toEqual(noneSettled);
  await victim.kill();
  const stop = new AbortController();
  const work = async (): Promise<void> => stop.abort();
  expect(await settleSessions(pool.db, work, { ...options, idleDelayMs: 50, signal: stop.signal })).toEqual({
    ...noneSettled,
    settled: 1,
  });
});

test('PostgreSQL 18: a stop in the middle: what is in hand is as before, and the next worker has it at once', async () => {
  await using database = await createDatabase(18, 'migrated');
  await using pool = connect('node-postgres', database.url, 5);
  await insertUnsettled(pool.db, 40);
  const stop = new AbortController();
  let begun = 0;
  const counts = await settleSessions(
    pool.db,
    async (_session, { signal }) => {
      if (++begun <= 20) return;
      if (begun === 24) stop.abort();
      else await abortOf(signal);
      signal.throwIfAborted();
    },
    { startedAfterMs: 0, concurrency: 4, signal: stop.signal },
  );
  expect(counts).toEqual({ ...noneSettled, settled: 20, released: 4 });
  expect(await countOf(database, 'untried')).toBe(20);
  expect(await settleSessions(pool.db, async () => {}, settleOnce)).toEqual({ ...noneSettled, settled: 20 });
});

test('PostgreSQL 18: a claim that another worker has taken is lost; the first is told, and records nothing', async () => {
  await using database = await createDatabase(18, 'migrated');
  await using pool = connect('postgres.js', database.url);
  await insertSession(pool.db, { id: 's', settleSession: true, startedAt: 1 });
  const options = { ...settleOnce, retryAfterMs: 2_000 };
  let reason: unknown;
  const first = settleSessions(
    pool.db,
    async (_session, { signal }) => {
      // As if it had slept for longer than the claim lasts.
      await database.sql`update sessions set lastsettleattempt = 1`;
      const second = await settleSessions(pool.db, async () => false, options);
      expect(second).toEqual({ ...noneSettled, incomplete: 1 });
      reason = await abortOf(signal);
      return true;
    },
    options,
  );
  expect(await first).toEqual({ ...noneSettled, lost: 1 });
  expect(reason).toMatchObject({ code: 'claim_lost', message: expect.stringContaining('no longer ours') });
  expect(await countOf(database, 'settled')).toBe(0);
});

test('PostgreSQL 18: a claim that can’t be renewed is given up before it runs out', async () => {
  await using database = await createDatabase(18, 'migrated');
  await using pool = connect('postgres.js', database.url);
  await insertSession(pool.db, { id: 's', settleSession: true, startedAt: 1 });
  const counts = await settleSessions(
    pool.db,
    async (_session, { signal }) => {
      await database.sql.begin(async (blocker) => {
        await blocker`select from sessions for update`;
        expect(await abortOf(signal)).toMatchObject({
          code: 'claim_lost',
          message: expect.stringContaining('in time'),
        });
      });
      signal.throwIfAborted();
    },
    { ...settleOnce, retryAfterMs: 1_000 },
  );
  // The renewal that was under way came through in the end: the session is free when that is old.
  expect(counts.settled + counts.failed).toBe(0);
  expect(await countOf(database, 'settled')).toBe(0);
});
