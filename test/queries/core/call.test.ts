import { sql } from 'drizzle-orm';
import { withReplicas } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { findSession, insertFills, insertSession, setSessionStatus } from '../../../src/queries/index.ts';
import { createTestDatabase } from '../../../src/testing/index.ts';
import { type OpenHandle, openPglite } from '../../support/handles.ts';
import { selectAll } from '../suites/variants.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

test('embedded: what is done in time is done, and no limit is left behind', async () => {
  const { db } = handle;
  await insertSession(db, { id: 's', status: 'running' }, { timeoutMs: 60_000 });
  await db.transaction(async (tx) => {
    await tx.execute(sql`set local statement_timeout = '70s'`);
    await setSessionStatus(tx, { sessionId: 's', status: 'completed', timeoutMs: 60_000 });
    expect(await selectAll(tx, 'show statement_timeout')).toEqual([{ statement_timeout: '70s' }]);
  });
  expect(await findSession(db, { id: 's', timeoutMs: 60_000 })).toMatchObject({ status: 'completed' });
  expect(await selectAll(db, 'show statement_timeout')).toEqual([{ statement_timeout: '0' }]);
});

test('of a handle with replicas a read in time is the replica’s, and a write the primary’s', async () => {
  await using replica = await createTestDatabase({ cacheFolder: inject('embeddedDumps') });
  await using primary = await createTestDatabase({ cacheFolder: inject('embeddedDumps') });
  await insertSession(replica.db, { id: 'r', status: 'late' });
  const db = withReplicas(primary.db, [replica.db]);
  await insertSession(db, { id: 'r', status: 'new' }, { timeoutMs: 60_000 });
  expect(await findSession(db, { id: 'r', timeoutMs: 60_000 })).toMatchObject({ status: 'late' });
  expect(await findSession(db.$primary, { id: 'r', timeoutMs: 60_000 })).toMatchObject({ status: 'new' });
});

test('embedded: nothing interrupts a statement, and the next one of the call is not sent', async () => {
  const { db } = handle;
  await insertSession(db, { id: 'f' });
  const fills = Array.from({ length: 20_000 }, (_, n) => ({ id: `f${n}`, sessionId: 'f' }));
  await expect(insertFills(db, fills, { timeoutMs: 1 })).rejects.toMatchObject({
    code: 'statement_timeout',
    sqlState: undefined,
    message: expect.stringContaining('not sent'),
  });
  const [row] = (await selectAll(db, 'select count(*)::integer as count from fills')) as { count: number }[];
  expect(row?.count).toBeLessThan(fills.length);
});
