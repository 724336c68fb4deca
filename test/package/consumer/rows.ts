/** A service on either Drizzle: what it reads and writes has exact types, whatever the tables are made of. */
import { strict as assert } from 'node:assert';
import type { GetColumnData } from 'drizzle-orm';
import {
  claimSessionsToSettle,
  type Database,
  type FillInput,
  insertFills,
  insertSession,
  listFills,
  listSessionsByPairs,
  type OrderInput,
  type SessionInput,
  type SessionSummary,
  type Transaction,
} from 'multi-pair-db/queries';
import type { Fill, fills, NewOrder, Order, Session, sessions } from 'multi-pair-db/schema';
import { insertFillSchema, insertSessionSchema } from 'multi-pair-db/zod';
import type { z } from 'zod';

type Is<A> = <T>() => T extends A ? 1 : 2;
type Equal<A, B> = Is<A> extends Is<B> ? true : false;
const isTrue = <T extends true>(..._: T[]): void => {};

isTrue<Equal<Session['pairs'], string[] | null>>();
// @ts-expect-error it may be null
isTrue<Equal<Session['pairs'], string[]>>();
// @ts-expect-error it is a bigint, and nothing that is not known
isTrue<Equal<Fill['tradeId'], unknown>>();
isTrue<Equal<Session['settings'], unknown>>();
isTrue<Equal<Session['startedAt'], number | null>>();
isTrue<Equal<Fill['tradeId'], bigint | null>>();
isTrue<Equal<Order['id'], string>>();
isTrue<Equal<NewOrder['price'], number | null | undefined>>();
isTrue<Equal<typeof sessions.$inferSelect, Session>>();
isTrue<Equal<GetColumnData<typeof fills.tradeId>, bigint | null>>();
isTrue<Equal<GetColumnData<typeof sessions.id>, string>>();
isTrue<Equal<Awaited<ReturnType<typeof listFills>>, Fill[]>>();
isTrue<Equal<SessionSummary['budget'], number | null>>();
isTrue<Equal<OrderInput['price'], number | string | null | undefined>>();
isTrue<Equal<z.output<typeof insertSessionSchema>['pairs'], string[] | null | undefined>>();
export const session: SessionInput = { id: 's', pairs: ['BTC/USD', 'ETH/USD'], startedAt: 1, budget: '0.1' };
export const fill: FillInput = {
  id: 'f',
  sessionId: 's',
  symbol: 'BTC/USD',
  tradeId: '9223372036854775807',
  price: '0.1',
  timestamp: 1,
};
// @ts-expect-error a JSON document is not in a list
export type Settings = SessionSummary['settings'];
// @ts-expect-error no id
export const order: OrderInput = { price: 1 };
// @ts-expect-error the database counts the pairs
export const counted: SessionInput = { id: 's', pairCount: 1 };

export async function writeAndRead(
  db: Database & { transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> },
): Promise<void> {
  await insertSession(db, insertSessionSchema.parse(session));
  await insertFills(db, [insertFillSchema.parse(fill)]);
  const found = await listSessionsByPairs(db, { pairs: ['ETH/USD'], match: 'all' });
  assert.deepEqual(
    found.map(({ id, pairs, pairCount, startedAt, budget }) => ({ id, pairs, pairCount, startedAt, budget })),
    [{ id: 's', pairs: ['BTC/USD', 'ETH/USD'], pairCount: 2, startedAt: 1, budget: 0.1 }],
  );
  const [stored] = await listFills(db, { sessionId: 's' });
  assert.equal(stored?.tradeId, 9_223_372_036_854_775_807n);
  assert.deepEqual(await db.transaction((tx) => claimSessionsToSettle(tx)), []);
  const plain: Database = db;
  // @ts-expect-error a plain handle holds no lock
  await assert.rejects(claimSessionsToSettle(plain), /takes a transaction/);
}
