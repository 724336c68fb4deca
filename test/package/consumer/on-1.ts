import { strict as assert } from 'node:assert';
import type { MySqlAsyncDatabase } from 'drizzle-orm/mysql-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { SQLiteAsyncDatabase } from 'drizzle-orm/sqlite-core';
import type { Database } from 'multi-pair-db/queries';
import { relations } from 'multi-pair-db/relations-v2';
import postgres from 'postgres';
import { writeAndRead } from './rows.js';

export const others = {
  // @ts-expect-error another database
  mysql: (db: MySqlAsyncDatabase<never, never>): Database => db,
  // @ts-expect-error another database
  sqlite: (db: SQLiteAsyncDatabase<'async', unknown, never>): Database => db,
  // @ts-expect-error no handle
  none: (db: { _: { session: object } }): Database => db,
};

const client = postgres(process.env['DATABASE_URL'] ?? '');
const db = drizzle({ client, relations });
await writeAndRead(db);
const found = await db.query.sessions.findFirst({ where: { id: 's' }, with: { orders: true, fills: true } });
const pairs: string[] | null | undefined = found?.pairs;
assert.deepEqual(
  [pairs, found?.fills.map(({ tradeId }) => tradeId)],
  [['BTC/USD', 'ETH/USD'], [2n ** 63n - 1n]],
);
await client.end();
console.log('written and read');
