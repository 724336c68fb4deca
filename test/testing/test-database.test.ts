import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  assertSchema,
  insertFills,
  insertOrders,
  insertSession,
  listDuplicateFills,
  listOrders,
} from '../../src/queries/index.ts';
import { buildFill, buildOrder, buildSession, createTestDatabase } from '../../src/testing/index.ts';

let cacheFolder: string;
beforeAll(async () => {
  cacheFolder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-testing-'));
});
afterAll(() => rm(cacheFolder, { recursive: true, force: true }));

test('a migrated database, from a snapshot that is made once; a damaged one is made anew', async () => {
  {
    await using first = await createTestDatabase({ cacheFolder });
    await assertSchema(first.db);
  }
  const [file = '', ...others] = await readdir(cacheFolder);
  expect([file, others]).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.tar$/), []]);

  // Another folder: what this process has read of the first one does not count.
  const damaged = path.join(cacheFolder, 'damaged');
  await mkdir(damaged);
  await writeFile(path.join(damaged, file), 'cut short');
  await using again = await createTestDatabase({ cacheFolder: damaged });
  await assertSchema(again.db);
  await using third = await createTestDatabase({ cacheFolder: damaged });
  await assertSchema(third.db);
  expect(await readdir(damaged)).toEqual([file]);
});

test('each is the caller’s own, and reset empties it', async () => {
  await using mine = await createTestDatabase({ cacheFolder });
  await using other = await createTestDatabase({ cacheFolder });
  const session = buildSession({ pairs: ['BTC/USD', 'ETH/USD'] });
  await insertSession(mine.db, session);
  const order = buildOrder({ sessionId: session.id, symbol: 'ETH/USD' });
  expect(await insertOrders(mine.db, [order])).toEqual([{ id: order.id, pairIndex: 1 }]);
  const fill = { sessionId: session.id, orderId: order.id };
  await insertFills(mine.db, [buildFill(fill), buildFill(fill)]);
  expect(await listDuplicateFills(mine.db, {})).toEqual([]);
  expect(await listOrders(other.db, { sessionId: session.id })).toEqual([]);

  await mine.client.exec('create table notes (id int); insert into notes values (1)');
  await mine.reset();
  const rows = await mine.client.query(
    'select (select count(*) from sessions) + (select count(*) from orders) + (select count(*) from fills) as rows, (select count(*) from notes) as notes',
  );
  expect(rows.rows).toEqual([{ rows: 0, notes: 1 }]);
  await mine.close();
  await mine.close();
});

test('what is given replaces what is made up, and no two rows are alike', () => {
  expect(buildFill({ price: '7', side: null })).toMatchObject({ price: '7', side: null, size: '1' });
  expect(buildSession().id).not.toBe(buildSession().id);
  expect(buildOrder().id).not.toBe(buildOrder().id);
  expect(buildFill().id).not.toBe(buildFill().id);
  expect(buildFill().tradeId).not.toBe(buildFill().tradeId);
});
