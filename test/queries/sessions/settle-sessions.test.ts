import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ClaimLostError,
  DatabaseError,
  InvalidArgumentError,
  insertSession,
  type SessionSummary,
  type SettleSessionsOptions,
  setSessionStatus,
  settleSessions,
} from '../../../src/queries/index.ts';
import { emptyTables, type Handle, type OpenHandle, openPglite } from '../../support/handles.ts';
import { selectAll } from '../suites/variants.ts';

let handle: OpenHandle;
let db: Handle;
beforeAll(async () => {
  handle = await openPglite();
  ({ db } = handle);
});
afterAll(() => handle[Symbol.asyncDispose]());
beforeEach(() => emptyTables(db));

const none = { settled: 0, incomplete: 0, failed: 0, released: 0, lost: 0 };
const once = { startedAfterMs: 0, whenIdle: 'end' } as const;

/** Sessions that await settlement, the first id first; `tried` says when they were tried. */
async function insertUnsettled(ids: readonly string[], tried: Record<string, number> = {}): Promise<void> {
  let startedAt = 1;
  for (const id of ids) {
    const lastSettleAttempt = tried[id] ?? null;
    await insertSession(db, { id, settleSession: true, startedAt: startedAt++, lastSettleAttempt });
  }
}
const stored = () =>
  selectAll(
    db,
    'select id, settledcomplete as settled, lastsettleattempt as tried, status from sessions order by id',
  );
const stampOf = async (id: string): Promise<unknown> => {
  const rows = await selectAll(
    db,
    `select lastsettleattempt::text as stamp from sessions where id = '${id}'`,
  );
  return (rows[0] as { stamp: unknown }).stamp;
};

/** Both ways to settle: the handler gets what both have. */
type Common = (session: SessionSummary, context: { signal: AbortSignal }) => Promise<boolean | undefined>;
const modes = {
  'the handler after the claim': (handler: Common, options: SettleSessionsOptions) =>
    settleSessions(db, handler, options),
  'the handler in the transaction': (handler: Common, options: SettleSessionsOptions) =>
    settleSessions(db, handler, { ...options, transaction: true }),
};

describe.each(Object.entries(modes))('%s', (_, settle) => {
  test('nothing to settle: no handler is called, and the signal keeps no listener', async () => {
    const handler = () => Promise.reject(new Error('called'));
    const { signal } = new AbortController();
    expect(await settle(handler, { ...once, signal })).toEqual(none);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('true and nothing are settled, false is not yet; each session once, in the order of the claims', async () => {
    await insertUnsettled(['a', 'b', 'c', 'd'], { a: 5 });
    const seen: string[] = [];
    const counts = await settle(async ({ id, lastSettleAttempt }) => {
      seen.push(id);
      expect(lastSettleAttempt).toBeGreaterThan(1_700_000_000_000);
      return id === 'b' ? false : id === 'c' ? true : undefined;
    }, once);
    expect(counts).toEqual({ ...none, settled: 3, incomplete: 1 });
    expect(seen).toEqual(['b', 'c', 'd', 'a']);
    expect(await stored()).toMatchObject([
      { id: 'a', settled: true },
      { id: 'b', settled: false },
      { id: 'c', settled: true },
      { id: 'd', settled: true },
    ]);
  });

  test('only the wanted', async () => {
    const row = { settleSession: true, startedAt: 1 };
    await insertSession(db, { ...row, id: 'a', pairs: ['A'], exchange: 'okx' });
    await insertSession(db, { ...row, id: 'b', pairs: ['A'], exchange: 'kraken' });
    await insertSession(db, { ...row, id: 'c', pairs: ['B'], exchange: 'okx' });
    await insertSession(db, { ...row, id: 'd', pairs: ['A'], exchange: 'okx', settledComplete: true });
    const seen: string[] = [];
    await settle(async ({ id }) => void seen.push(id), { whenIdle: 'end' });
    await settle(async ({ id }) => void seen.push(id), { ...once, pair: 'A', exchange: 'okx' });
    expect(seen).toEqual(['a']);
  });

  test('a handler that throws counts as an attempt: told, not settled, not tried again at once', async () => {
    await insertUnsettled(['bad', 'good']);
    const error = new Error('the venue is down');
    const told: unknown[] = [];
    const seen: string[] = [];
    const counts = await settle(
      async ({ id }) => {
        seen.push(id);
        if (id === 'bad') throw error;
        return true;
      },
      { ...once, onError: (thrown, { id }) => void told.push([thrown, id]) },
    );
    expect(counts).toEqual({ ...none, settled: 1, failed: 1 });
    expect(seen).toEqual(['bad', 'good']);
    expect(told).toEqual([[error, 'bad']]);
    const [bad] = await stored();
    expect(bad).toMatchObject({ id: 'bad', settled: false });
    expect((bad as { tried: number }).tried).toBeGreaterThan(1_700_000_000_000);
  });

  test('without onError the error ends it, as it was, and so does an onError that throws', async () => {
    await insertUnsettled(['a', 'b']);
    const seen: string[] = [];
    const errors = [new Error('the venue is down'), new Error('nowhere to log')] as const;
    const handler = async ({ id }: SessionSummary): Promise<undefined> => {
      seen.push(id);
      throw errors[0];
    };
    await expect(settle(handler, once)).rejects.toBe(errors[0]);
    expect(seen).toEqual(['a']);
    const onError = () => Promise.reject(errors[1]);
    await expect(settle(handler, { ...once, onError })).rejects.toBe(errors[1]);
    expect(seen).toEqual(['a', 'b']);
    expect(await stored()).toMatchObject([{ settled: false }, { settled: false }]);
  });

  test('what is no answer is not taken for settled', async () => {
    await insertUnsettled(['a']);
    const answer = JSON.parse('{"settled":false}');
    await expect(settle(async () => answer, once)).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await stored()).toMatchObject([{ settled: false }]);
  });

  test('a stop: the handler is told the reason, its session is as before, and no other is claimed', async () => {
    await insertUnsettled(['a', 'b'], { a: 7, b: 9 });
    const controller = new AbortController();
    const { signal } = controller;
    const counts = await settle(
      async (_session, context) => {
        controller.abort(new Error('SIGTERM'));
        await sleep(60_000, undefined, { signal: context.signal });
        return true;
      },
      { startedAfterMs: 0, signal },
    );
    expect(counts).toEqual({ ...none, released: 1 });
    expect(await stored()).toMatchObject([
      { tried: 7, settled: null },
      { tried: 9, settled: null },
    ]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    // Stopped before it began.
    expect(await settle(() => Promise.reject(new Error('called')), { startedAfterMs: 0, signal })).toEqual(
      none,
    );
  });

  test('a stop: who ends as if nothing were, is recorded; who fails for another reason, has failed', async () => {
    await insertUnsettled(['a', 'b']);
    const controller = new AbortController();
    const told: unknown[] = [];
    const work = settle(
      async ({ id }) => {
        controller.abort();
        if (id === 'b') throw new Error('the venue is down');
        return true;
      },
      { startedAfterMs: 0, signal: controller.signal, onError: (error) => void told.push(error) },
    );
    expect(await work).toEqual({ ...none, settled: 1 });
    const again = new AbortController();
    const failed = settle(
      async () => {
        again.abort();
        throw new Error('the venue is down');
      },
      { startedAfterMs: 0, signal: again.signal, onError: (error) => void told.push(error) },
    );
    expect(await failed).toEqual({ ...none, failed: 1 });
    expect(told).toEqual([new Error('the venue is down')]);
  });

  test('waits where there is nothing, and finds what comes', async () => {
    const controller = new AbortController();
    const counts = settle(
      async () => {
        controller.abort();
        return true;
      },
      { startedAfterMs: 0, idleDelayMs: 10, signal: controller.signal },
    );
    await insertUnsettled(['late']);
    expect(await counts).toEqual({ ...none, settled: 1 });
  });
});

test('in the transaction: a handler that meets a deadlock and the like begins again, so often as is tried', async () => {
  await insertUnsettled(['always', 'once']);
  const deadlock = new DatabaseError('saveOrders', { code: 'deadlock', message: 'a deadlock' });
  const [runs, told]: [string[], unknown[]] = [[], []];
  const counts = await settleSessions(
    db,
    async ({ id }, { tx }) => {
      await setSessionStatus(tx, { sessionId: id, status: `try ${runs.push(id)}` });
      if (id === 'always' || runs.length === 4) throw deadlock;
    },
    {
      ...once,
      transaction: true,
      retry: { attempts: 3, baseDelayMs: 1 },
      onError: (error, { id }) => void told.push([id, error]),
    },
  );
  expect(counts).toEqual({ ...none, settled: 1, failed: 1 });
  expect(runs).toEqual(['always', 'always', 'always', 'once', 'once']);
  expect(told).toEqual([['always', deadlock]]);
  expect(await stored()).toMatchObject([
    { id: 'always', settled: false, status: null },
    { id: 'once', settled: true, status: 'try 5' },
  ]);
});

describe('handlers at work beside one that fails', () => {
  test('are told, and give their sessions back', async () => {
    await insertUnsettled(['good', 'bad'], { good: 7, bad: 8 });
    const error = new Error('the venue is down');
    const ended = settleSessions(
      db,
      async ({ id }, { signal }) => {
        if (id === 'bad') throw error;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new Error('given up', { cause: signal.reason });
      },
      { ...once, concurrency: 2 },
    );
    await expect(ended).rejects.toBe(error);
    const [bad, good] = await stored();
    expect(good).toMatchObject({ id: 'good', settled: null, tried: 7 });
    expect(bad).toMatchObject({ id: 'bad', settled: false });
  });

  test('and fail, too: their errors are thrown as one', async () => {
    await insertUnsettled(['a', 'b']);
    const ended = settleSessions(
      db,
      async ({ id }, { signal }) => {
        if (id === 'a') await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new Error(id);
      },
      { ...once, concurrency: 2 },
    );
    const thrown: unknown = await ended.catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AggregateError);
    expect(thrown).toMatchObject({ errors: [new Error('b'), new Error('a')] });
  });
});

test('in the transaction: what a handler writes goes with its result, or not at all', async () => {
  await insertUnsettled(['bad', 'good']);
  const counts = await settleSessions(
    db,
    async ({ id }, { tx }) => {
      await setSessionStatus(tx, { sessionId: id, status: 'written' });
      if (id === 'bad') throw new Error('no');
    },
    { ...once, transaction: true, onError: () => {} },
  );
  expect(counts).toEqual({ ...none, settled: 1, failed: 1 });
  expect(await stored()).toMatchObject([
    { id: 'bad', settled: false, status: null },
    { id: 'good', settled: true, status: 'written' },
  ]);
});

test('many handlers at once make no warning of a leak', async () => {
  await insertUnsettled(Array.from({ length: 24 }, (_, i) => `s${i}`));
  const warnings: string[] = [];
  const warn = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warn);
  const controller = new AbortController();
  let begun = 0;
  const counts = await settleSessions(
    db,
    async (_session, { signal }) => {
      if (++begun === 12) controller.abort();
      await sleep(60_000, undefined, { signal });
    },
    { startedAfterMs: 0, concurrency: 12, signal: controller.signal },
  );
  expect(counts).toEqual({ ...none, released: 12 });
  // Warnings come by nextTick.
  await sleep(0);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

describe('a claim that is kept', () => {
  const kept = { startedAfterMs: 0, retryAfterMs: 2_000 };

  test('is renewed while the handler works, and lastUpdated stays', async () => {
    await insertUnsettled(['a']);
    const lastUpdated = () => selectAll(db, 'select lastupdated from sessions');
    const counts = await settleSessions(
      db,
      async ({ lastSettleAttempt }) => {
        const before = await lastUpdated();
        const first = lastSettleAttempt;
        const isRenewed = async () => Number(await stampOf('a')) > Number(first) + 500;
        while (!(await isRenewed())) await sleep(20);
        expect(await lastUpdated()).toEqual(before);
      },
      { ...kept, whenIdle: 'end' },
    );
    expect(counts).toEqual({ ...none, settled: 1 });
  });

  test('and is lost: the handler is told, and nothing is recorded', async () => {
    await insertUnsettled(['gives up', 'goes on']);
    const reasons: unknown[] = [];
    const counts = await settleSessions(
      db,
      async ({ id }, { signal }) => {
        await selectAll(db, `update sessions set lastsettleattempt = 9e15 where id = '${id}'`);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reasons.push(signal.reason);
        if (id === 'gives up') signal.throwIfAborted();
        return true;
      },
      { ...kept, concurrency: 2, whenIdle: 'end' },
    );
    expect(counts).toEqual({ ...none, lost: 2 });
    expect(reasons).toMatchObject([{ code: 'claim_lost' }, { code: 'claim_lost' }]);
    expect(reasons[0]).toBeInstanceOf(ClaimLostError);
    expect(await stored()).toMatchObject([
      { settled: null, tried: 9e15 },
      { settled: null, tried: 9e15 },
    ]);
  });
});

test('options are checked before anything is sent', async () => {
  const handler = async () => {};
  for (const options of [
    { concurrency: 0 },
    { concurrency: 101 },
    { retryAfterMs: 999 },
    { retryAfterMs: 86_400_001 },
    { idleDelayMs: 9 },
    { idleDelayMs: 3_600_001 },
    { whenIdle: 'end', idleDelayMs: 100 },
    { whenIdle: 'stop' },
    { lookbackHours: 0 },
    { lookbackHours: 1, startedAfterMs: 1 },
    { pair: '\0' },
    { retry: { attempts: 0 } },
    { retry: { tries: 1 } },
    { retry: null },
    { onError: 'log' },
    { signal: {} },
    { transaction: 'yes' },
  ]) {
    await expect(settleSessions(db, handler, options as never)).rejects.toBeInstanceOf(InvalidArgumentError);
  }
  await expect(settleSessions(db, 'settle' as never)).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(settleSessions({ _: db._ }, handler, { transaction: true } as never)).rejects.toThrow(
    /begins no transactions/,
  );
  await db.transaction((tx) =>
    expect(settleSessions(tx as never, handler)).rejects.toThrow(/takes a handle and no transaction/),
  );
});
