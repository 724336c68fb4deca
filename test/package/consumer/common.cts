/** A service in CommonJS, on either Drizzle: the same types and the same rows by `require`. */
import { strict as assert } from 'node:assert';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { type Database, findSession, insertSession, type SessionInput } from 'multi-pair-db/queries';
import { type Session, sessions } from 'multi-pair-db/schema';
import { insertSessionSchema } from 'multi-pair-db/zod';
import postgres from 'postgres';

const given: SessionInput = { id: 'common', pairs: ['BTC/USD', 'ETH/USD'], startedAt: 1 };
// @ts-expect-error no id
export const nameless: SessionInput = { startedAt: 1 };
// @ts-expect-error no handle
export const notADatabase: Database = { _: { session: {} } };

async function writeAndRead(): Promise<void> {
  const client = postgres(process.env['DATABASE_URL'] ?? '');
  const db = drizzle({ client });
  await insertSession(db, insertSessionSchema.parse(given));
  const found = await findSession(db, { id: 'common' });
  const [selected]: Session[] = await db.select().from(sessions).where(eq(sessions.id, 'common'));
  const pairs: string[] | null | undefined = selected?.pairs;
  assert.deepEqual([pairs, found?.pairCount], [['BTC/USD', 'ETH/USD'], 2]);
  await client.end();
  console.log('written and read');
}
void writeAndRead();
