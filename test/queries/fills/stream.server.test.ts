import { getEventListeners } from 'node:events';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { insertFills, insertSession, listFills, streamFills } from '../../../src/queries/index.ts';
import { createDatabase } from '../../support/database.ts';
import { connect, drivers } from '../../support/handles.ts';

const fills = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `f${i}`, sessionId: 's', symbol: 'A', timestamp: i }));

test.each(drivers)('%s: a signal ends a stream at once, also while a page is under way', async (driver) => {
  await using database = await createDatabase(18, 'migrated');
  await using client = connect(driver, database.url, 2);
  const { db } = client;
  await insertSession(db, { id: 's' });
  await insertFills(db, fills(3));
  const reason = new Error('enough');
  for (const options of [
    { sessionId: 's', pageSize: 2 },
    { symbol: 'A', fromMs: 0, toMs: 10, pageSize: 2 },
  ] as const) {
    const controller = new AbortController();
    const stream = streamFills(db, { ...options, signal: controller.signal });
    expect((await stream.next()).value?.id).toBe('f0');
    expect((await stream.next()).value?.id).toBe('f1');
    await database.sql.begin(async (blocker) => {
      await blocker`lock table fills`;
      const next = stream.next().then(
        () => undefined,
        (error: unknown) => error,
      );
      setTimeout(() => controller.abort(reason), 50);
      // While the table is locked: the page itself can't come.
      expect(await next).toBe(reason);
    });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  }
  expect(await listFills(db, { sessionId: 's' })).toHaveLength(3);
});

test('what becomes of the abandoned page is nobody’s business, also if it fails', async () => {
  await using database = await createDatabase(18, 'migrated');
  await using client = connect('postgres.js', database.url, 1);
  const { db } = client;
  await db.execute(sql`set statement_timeout = 200`);
  const unhandled: unknown[] = [];
  const collect = (error: unknown): void => {
    unhandled.push(error);
  };
  process.on('unhandledRejection', collect);
  try {
    await database.sql.begin(async (blocker) => {
      await blocker`lock table fills`;
      const stream = streamFills(db, { sessionId: 's', signal: AbortSignal.timeout(50) });
      await expect(stream.next()).rejects.toMatchObject({ name: 'TimeoutError' });
      await new Promise((resolve) => setTimeout(resolve, 400));
    });
  } finally {
    process.off('unhandledRejection', collect);
  }
  expect(unhandled).toEqual([]);
});

test('a signal that has aborted before sends nothing, one that stays silent keeps no listener', async () => {
  await using database = await createDatabase(18, 'migrated');
  await using client = connect('postgres.js', database.url, 1);
  const { db } = client;
  await insertSession(db, { id: 's' });
  await insertFills(db, fills(30));
  const { signal } = new AbortController();
  let count = 0;
  for await (const _ of streamFills(db, { sessionId: 's', pageSize: 1, signal })) count++;
  expect([count, getEventListeners(signal, 'abort').length]).toEqual([30, 0]);
  await database.sql.begin(async (blocker) => {
    await blocker`lock table fills`;
    const stream = streamFills(db, { sessionId: 's', signal: AbortSignal.abort(new Error('before')) });
    await expect(stream.next()).rejects.toThrow('before');
  });
  const wrong = streamFills(db, { sessionId: 's', signal: JSON.parse('{"aborted":true}') });
  await expect(wrong.next()).rejects.toMatchObject({ code: 'invalid_argument' });
});
