import type { PGlite } from '@electric-sql/pglite';
import { eq } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as tables from '../../src/schema/index.ts';
import * as relations from '../../src/schema/relations.ts';
import { columnsOf, liveColumns } from '../support/facts.ts';
import { createPglite } from '../support/pglite.ts';

const schema = { ...tables, ...relations };
const { fills, orders, sessions } = tables;

let client: PGlite;
beforeAll(async () => {
  client = await createPglite('migrated');
});
afterAll(() => client.close());

test('ids and times come back as they went in, to the last digit', async () => {
  const db = drizzle(client, { schema });
  const stored = { tradeId: 9_223_372_036_854_775_807n, timestamp: Number.MAX_SAFE_INTEGER, createdAt: -1 };
  await db.insert(fills).values({ id: 'exact', ...stored });
  const [row] = await db.select().from(fills).where(eq(fills.id, 'exact'));
  expect(row).toMatchObject(stored);
});

test('a session is read with its orders and its fills, and a fill with its order', async () => {
  const db = drizzle(client, { schema });
  await db.insert(sessions).values({ id: 's', pairs: ['BTC/USD', 'ETH/USD'] });
  await db.insert(orders).values({ id: 'o', sessionId: 's', symbol: 'ETH/USD', pairIndex: 1 });
  await db.insert(fills).values({ id: 'f', sessionId: 's', orderId: 'o' });

  const session = await db.query.sessions.findFirst({
    where: eq(sessions.id, 's'),
    with: { orders: true, fills: true },
  });
  expect(session).toMatchObject({ pairCount: 2, orders: [{ id: 'o', pairIndex: 1 }], fills: [{ id: 'f' }] });
  const fill = await db.query.fills.findFirst({
    where: eq(fills.id, 'f'),
    with: { order: true, session: true },
  });
  expect(fill).toMatchObject({ order: { id: 'o' }, session: { id: 's' } });
});

test('the tables have the columns of the live database and ours, and nothing else', () => {
  for (const table of [sessions, orders, fills]) {
    const { name, columns } = getTableConfig(table);
    const named = columns.map((column) => column.name);
    expect(named.toSorted()).toEqual(columnsOf(name));
    expect(named).toEqual(expect.arrayContaining([...(liveColumns[name] ?? ['no such live table'])]));
    const keys = Object.keys(table).filter((key) => key !== 'enableRLS');
    expect(keys).toHaveLength(columns.length);
  }
});
