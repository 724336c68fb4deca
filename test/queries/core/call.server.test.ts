import { getEventListeners } from 'node:events';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  findSession,
  insertSession,
  listFills,
  saveSessions,
  setSessionStatus,
} from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { connect, drivers, type Handle, type OpenHandle } from '../../support/handles.ts';
import { countLockWaits } from '../../support/lock-waits.ts';
import { until } from '../../support/waiting.ts';
import { selectAll } from '../suites/variants.ts';

const stopped = {
  code: 'statement_timeout',
  sqlState: '57014',
  message: expect.stringContaining('rolled it back'),
};
/** Long enough that it is not over before the statement is sent; the tests wait for it, and measure nothing. */
const timeoutMs = 300;

describe.each(drivers)('%s', (driver) => {
  let database: TestDatabase;
  let client: OpenHandle;
  let db: Handle;
  beforeAll(async () => {
    database = await createDatabase(18, 'migrated');
    client = connect(driver, database.url, 3);
    db = client.db;
  });
  beforeEach(async () => {
    await db.execute(sql`truncate sessions, orders, fills`);
    await insertSession(db, { id: 's', status: 'running' });
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  /** While somebody else holds the session's row. */
  async function whileHeld<T>(work: () => Promise<T>): Promise<T> {
    return database.sql.begin(async (holder) => {
      await holder`select from sessions where id = 's' for update`;
      return work();
    }) as Promise<T>;
  }
  const untilWaiting = (count: number) =>
    until(async () => (await countLockWaits(database.sql)) === count, `${count} sessions wait for the row`);
  const statusNow = async () => (await findSession(db, { id: 's' }))?.status;
  const setStatus = (on: Handle, bounds: { timeoutMs?: number; signal?: AbortSignal }) =>
    setSessionStatus(on, { sessionId: 's', status: 'completed', ...bounds });

  test('what is done in time is done', async () => {
    await setStatus(db, { timeoutMs: 60_000 });
    expect(await statusNow()).toBe('completed');
    expect(await findSession(db, { id: 's', timeoutMs: 60_000 })).toMatchObject({ id: 's' });
    const limits = await Promise.all([1, 2, 3].map(() => selectAll(db, 'show statement_timeout')));
    expect(limits.flat().map((row) => Object.values(row as object))).toEqual([['0'], ['0'], ['0']]);
  });

  test('the server stops a statement whose time is up, and nothing of it stays', async () => {
    await whileHeld(async () => {
      await expect(setStatus(db, { timeoutMs })).rejects.toMatchObject(stopped);
      await untilWaiting(0);
      const rows = [
        { id: 'new', status: 'x' },
        { id: 's', status: 'x' },
      ];
      await expect(saveSessions(db, rows, { timeoutMs })).rejects.toMatchObject(stopped);
    });
    expect(await statusNow()).toBe('running');
    expect(await findSession(db, { id: 'new' })).toBeUndefined();
  });

  test('in a transaction it ends with the statement, and what was set lower still holds', async () => {
    await db.transaction(async (tx) => {
      const limitNow = async () =>
        Object.values((await selectAll(tx, 'show statement_timeout'))[0] as object)[0];
      await tx.execute(sql`set local statement_timeout = '70s'`);
      await findSession(tx, { id: 's', timeoutMs: 60_000 });
      expect(await limitNow()).toBe('70s');
      const sides = [1, 2, 3].map((n) => findSession(tx, { id: 's', timeoutMs: 60_000 + n }));
      expect(await Promise.all(sides)).toHaveLength(3);
      expect(await limitNow()).toBe('70s');
    });
    await whileHeld(async () => {
      const lower = db.transaction(async (tx) => {
        await tx.execute(sql`set local statement_timeout = 100`);
        await setSessionStatus(tx, { sessionId: 's', status: 'x', timeoutMs: 60_000 });
      });
      await expect(lower).rejects.toMatchObject({ code: 'statement_timeout', sqlState: '57014' });
      const ours = db.transaction((tx) => setSessionStatus(tx, { sessionId: 's', status: 'x', timeoutMs }));
      await expect(ours).rejects.toMatchObject(stopped);
    });
    expect(await statusNow()).toBe('running');
  });

  test('a signal ends the wait at once; what was sent goes on, or is rolled back where it has a time', async () => {
    const reason = new Error('told to stop');
    for (const [bounds, status] of [
      [{ timeoutMs: 60_000 }, 'running'],
      [{}, 'completed'],
    ] as const) {
      const controller = new AbortController();
      await whileHeld(async () => {
        const call = setStatus(db, { ...bounds, signal: controller.signal }).catch((error: unknown) => error);
        await untilWaiting(1);
        controller.abort(reason);
        expect(await call).toBe(reason);
        expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
      });
      await until(async () => (await countLockWaits(database.sql)) === 0, 'the statement has ended');
      await until(async () => (await statusNow()) === status, `the session is ${status}`);
    }
  });

  test('a call that gets no connection is not sent, not even later', async () => {
    await using one = connect(driver, database.url, 1);
    let release = (): void => {};
    const held = one.db.transaction(async (tx) => {
      await tx.execute(sql`select 1`);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    const refused = {
      code: 'statement_timeout',
      sqlState: undefined,
      message: expect.stringContaining('not sent'),
    };
    await expect(setStatus(one.db, { timeoutMs })).rejects.toMatchObject(refused);
    release();
    await held;
    expect(await findSession(one.db, { id: 's' })).toMatchObject({ status: 'running' });
  });

  test('a plan that has become stale is made anew, as without a time', async () => {
    await using one = connect(driver, database.url, 1);
    await listFills(one.db, { sessionId: 's', timeoutMs: 60_000 });
    await database.sql`alter table fills alter column symbol type varchar`;
    expect(await listFills(one.db, { sessionId: 's', timeoutMs: 60_000 })).toEqual([]);
    await database.sql`alter table fills alter column symbol type text`;
  });

  test('a server that does not answer is not waited for', async () => {
    await using one = connect(driver, database.url, 1);
    const [row] = await selectAll(one.db, 'select pg_backend_pid() as pid');
    const pid = Number(Object.values(row as object)[0]);
    await whileHeld(async () => {
      // Long enough that the server is stopped before it could stop the statement.
      const call = setStatus(one.db, { timeoutMs: 2_000 }).catch((error: unknown) => error);
      await untilWaiting(1);
      process.kill(pid, 'SIGSTOP');
      try {
        expect(await call).toMatchObject({
          code: 'statement_timeout',
          sqlState: undefined,
          message: expect.stringContaining('not known'),
        });
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });
    expect(await statusNow()).toBe('running');
  });
});
