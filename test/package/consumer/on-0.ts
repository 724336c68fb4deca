import { strict as assert } from 'node:assert';
import { eq } from 'drizzle-orm';
import type { MySqlDatabase } from 'drizzle-orm/mysql-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';
import type { Database } from 'multi-pair-db/queries';
import * as relations from 'multi-pair-db/relations';
import * as schema from 'multi-pair-db/schema';
import postgres from 'postgres';
import { writeAndRead } from './rows.js';

export const others = {
  // @ts-expect-error another database
  mysql: (db: MySqlDatabase<never, never>): Database => db,
  // @ts-expect-error another database
  sqlite: (db: BaseSQLiteDatabase<'async', unknown>): Database => db,
  // @ts-expect-error no handle
  none: (db: { _: { session: object } }): Database => db,
};

const client = postgres(process.env['DATABASE_URL'] ?? '');
const db = drizzle({ client, schema: { ...schema, ...relations } });
await writeAndRead(db);
const found = await db.query.sessions.findFirst({
  where: eq(schema.sessions.id, 's'),
  with: { orders: true, fills: { columns: { tradeId: false } } },
});
const pairs: string[] | null | undefined = found?.pairs;
assert.deepEqual([pairs, found?.fills.map(({ id }) => id)], [['BTC/USD', 'ETH/USD'], ['f']]);
await client.end();
console.log('written and read');
