import { eq, sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLatestFill, insertFills, insertSession, listFills } from '../../../src/queries/index.ts';
import * as tables from '../../../src/schema/index.ts';
import * as relations from '../../../src/schema/relations.ts';

const { fills, sessions } = tables;

/** What a service on Drizzle 0.45 opens a handle with that reads relations. */
export const schema = { ...tables, ...relations };

/** A handle that has relational queries. */
export interface RelationalHandle extends AsyncDisposable {
  readonly db: PgDatabase<PgQueryResultHKT, typeof schema>;
}

const exact = [0n, -1n, 2n ** 53n - 1n, 1n - 2n ** 53n];
/** JSON.parse makes other numbers of most of these, and nobody can tell which. */
const beyond = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 9_007_199_254_740_993n];

export function tradeIdsSuite(name: string, open: () => Promise<RelationalHandle>): void {
  describe(name, () => {
    let handle: RelationalHandle;
    beforeAll(async () => {
      handle = await open();
      const { db } = handle;
      const rows = (sessionId: string, ids: readonly bigint[]) =>
        ids.map((tradeId, i) => ({ id: `${sessionId}${i}`, sessionId, tradeId, timestamp: i }));
      for (const [id, ids] of Object.entries({ exact, beyond })) {
        await insertSession(db, { id });
        await insertFills(db, rows(id, ids));
      }
    });
    afterAll(() => handle[Symbol.asyncDispose]());
    const ids = (rows: readonly { tradeId: bigint | null }[]) => rows.map(({ tradeId }) => tradeId);

    test('at the top level every trade id is exact', async () => {
      const { db } = handle;
      for (const [sessionId, expected] of Object.entries({ exact, beyond })) {
        const where = eq(fills.sessionId, sessionId);
        expect(ids(await db.select().from(fills).where(where).orderBy(fills.timestamp))).toEqual(expected);
        expect(ids(await db.query.fills.findMany({ where, orderBy: fills.timestamp }))).toEqual(expected);
        expect(ids(await listFills(db, { sessionId }))).toEqual(expected);
        expect((await findLatestFill(db, { sessionId }))?.tradeId).toBe(expected.at(-1));
      }
    });

    test('below with it is exact, or refused by name', async () => {
      const { db } = handle;
      const read = (id: string) =>
        db.query.sessions.findFirst({
          where: eq(sessions.id, id),
          with: { fills: { orderBy: fills.timestamp } },
        });
      expect(ids((await read('exact'))?.fills ?? [])).toEqual(exact);
      await expect(read('beyond')).rejects.toThrow(/^column tradeid: .*lost its last digits/);
      for (const tradeId of beyond) {
        await expect(
          db.query.sessions.findFirst({
            where: eq(sessions.id, 'beyond'),
            with: { fills: { where: eq(fills.tradeId, tradeId) } },
          }),
        ).rejects.toThrow(/tradeid/);
      }
    });

    test('what the error says to do gives every digit', async () => {
      const session = await handle.db.query.sessions.findFirst({
        where: eq(sessions.id, 'beyond'),
        with: {
          fills: {
            orderBy: fills.timestamp,
            columns: { tradeId: false },
            extras: (fill, { sql }) => ({
              tradeIdText: sql<string>`${fill.tradeId}::text`.as('trade_id_text'),
            }),
          },
        },
      });
      expect(session?.fills.map(({ tradeIdText }) => BigInt(tradeIdText))).toEqual(beyond);
    });

    test('null stays null, and what Drizzle writes is exact', async () => {
      const { db } = handle;
      await db.insert(fills).values({ id: 'written', tradeId: 2n ** 63n - 1n });
      await db.insert(fills).values({ id: 'none', sessionId: 'exact', timestamp: 99 });
      const [row] = await db
        .select()
        .from(fills)
        .where(eq(fills.tradeId, sql`${2n ** 63n - 1n}::bigint`))
        .limit(1);
      expect(row?.tradeId).toBe(2n ** 63n - 1n);
      const session = await db.query.sessions.findFirst({
        where: eq(sessions.id, 'exact'),
        with: { fills: true },
      });
      expect(session?.fills.find(({ id }) => id === 'none')?.tradeId).toBeNull();
      await db.delete(fills).where(eq(fills.id, 'none'));
    });
  });
}
