import { asc, eq } from 'drizzle-orm';
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import type { PgAsyncDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type Database, insertFills, insertOrders, insertSession } from '../../src/queries/index.ts';
import { fills } from '../../src/schema/index.ts';
import { relations } from '../../src/schema/relations-v2.ts';
import { createDatabase } from '../support/database.ts';
import { createPglite } from '../support/pglite.ts';
import { closePool, createPool } from '../support/pool.ts';

/** JSON.parse makes other numbers of these; below `with`, 1.0 sends them as text. */
const tradeIds = [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

async function store(db: Database): Promise<void> {
  await insertSession(db, { id: 's', pairs: ['BTC/USD', 'ETH/USD'] });
  await insertOrders(db, [{ id: 'o', sessionId: 's', symbol: 'ETH/USD' }]);
  const rows = tradeIds.map((tradeId, i) => ({
    id: `f${i}`,
    sessionId: 's',
    orderId: 'o',
    tradeId,
    timestamp: i,
  }));
  await insertFills(db, rows);
}

async function readsThem(db: PgAsyncDatabase<PgQueryResultHKT, typeof relations>): Promise<void> {
  await store(db);
  const session = await db.query.sessions.findFirst({
    where: { id: 's' },
    with: { orders: true, fills: { orderBy: { timestamp: 'asc' } } },
  });
  expect(session).toMatchObject({ pairs: ['BTC/USD', 'ETH/USD'], orders: [{ id: 'o', pairIndex: 1 }] });
  expect(session?.fills.map(({ tradeId }) => tradeId)).toEqual(tradeIds);
  const fill = await db.query.fills.findFirst({ where: { id: 'f0' }, with: { order: true, session: true } });
  expect(fill).toMatchObject({ tradeId: tradeIds[0], order: { id: 'o' }, session: { id: 's' } });
  const selected = await db
    .select()
    .from(fills)
    .where(eq(fills.sessionId, 's'))
    .orderBy(asc(fills.timestamp));
  expect(selected.map(({ tradeId }) => tradeId)).toEqual(tradeIds);
}

test('PGlite: a session is read with its orders and fills, every trade id exact', async () => {
  const client = await createPglite('migrated');
  await readsThem(drizzlePglite({ client, relations }));
  await client.close();
});

test('postgres.js: so it is', async () => {
  await using database = await createDatabase(18, 'migrated');
  const client = database.connect({ max: 1 });
  await readsThem(drizzlePostgresJs({ client, relations }));
});

test('node-postgres: so it is, and a trade id that its parser has rounded is refused', async () => {
  await using database = await createDatabase(18, 'migrated');
  const client = createPool(database.url, 1);
  const given = pg.types.getTypeParser(pg.types.builtins.INT8);
  try {
    const db = drizzleNodePostgres({ client, relations });
    await readsThem(db);
    pg.types.setTypeParser(pg.types.builtins.INT8, Number);
    await expect(db.select().from(fills).where(eq(fills.id, 'f1'))).rejects.toThrow(
      /tradeid: .*lost its last digits/,
    );
  } finally {
    pg.types.setTypeParser(pg.types.builtins.INT8, given);
    await closePool(client);
  }
});
