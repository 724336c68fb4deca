import { getEventListeners } from 'node:events';
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertFills, listEquity, listPairPerformance, listPairPnl } from '../../../src/queries/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { formatDecimal, shortestFloat4 } from '../../support/decimal.ts';
import { plainPnl, toTexts } from '../../support/plain-pnl.ts';
import { hasTapes, insertParents, loadTape, needsTapes, type TapeFill } from '../../support/tape.ts';

describe.skipIf(!hasTapes)(`the multi-pair tape, 78,638 fills${needsTapes}`, () => {
  let database: TestDatabase;
  let db: ReturnType<typeof drizzle>;
  let tape: TapeFill[];
  beforeAll(async () => {
    database = await createDatabase(18, 'migrated');
    db = drizzle(database.sql);
    tape = await loadTape('multi-pair-fills');
    await insertParents(database.sql, tape);
    await insertFills(db, tape);
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  test.each(['fifo', 'average'] as const)('%s is what a plain reading has, of every pair', async (method) => {
    const rows = await listPairPnl(db, { method });
    const performance = await listPairPerformance(db, { fromMs: 0, toMs: 2_000_000_000_000 });
    expect(rows.map(({ symbol }) => symbol)).toEqual(performance.map(({ symbol }) => symbol));
    for (const [i, row] of rows.entries()) {
      const trades = (await inOrder(row.symbol ?? '')).map(({ side, price, size }) => {
        const quantity = shortestFloat4(Number(size));
        return { quantity: side === 'buy' ? quantity : -quantity, price: shortestFloat4(Number(price)) };
      });
      expect(row).toMatchObject({ ...toTexts(plainPnl(trades, method)), fillCount: trades.length });
      // Another statement, which adds up in the database.
      expect(row).toMatchObject({
        position: performance[i]?.netPosition,
        cashFlow: performance[i]?.cashFlow,
        fillCount: performance[i]?.fillCount,
      });
    }
  });

  /** As the server orders it: its collation decides between ids. */
  async function inOrder(symbol: string): Promise<TapeFill[]> {
    const byId = new Map(tape.map((fill) => [fill.id, fill]));
    const rows = await database.sql<{ id: string }[]>`
      select id from fills where symbol = ${symbol} order by timestamp, id`;
    return rows.flatMap(({ id }) => byId.get(id) ?? []);
  }

  test('the last bucket of equity is P&L at the last prices', async () => {
    const [first = 0, last = 0] = [tape[0]?.timestamp, tape.at(-1)?.timestamp];
    const quoteRates = Object.fromEntries(tape.map(({ symbol }) => [symbol, '1']));
    const range = { fromMs: first, toMs: last + 1, bucket: 'hour', limit: 1000 } as const;
    const equity = await listEquity(db, { method: 'fifo', ...range, quoteRates });
    const marks = Object.fromEntries(
      await Promise.all(
        Object.keys(quoteRates).map(async (symbol) => {
          const price = (await inOrder(symbol)).at(-1)?.price;
          return [symbol, formatDecimal(shortestFloat4(Number(price)))] as const;
        }),
      ),
    );
    const pairs = await listPairPnl(db, { method: 'fifo', marks });
    const [total] = await database.sql<{ realized: string; unrealized: string }[]>`
      select trim_scale(sum(r::numeric))::text as realized, trim_scale(sum(u::numeric))::text as unrealized
      from unnest(${pairs.map((pair) => pair.realizedPnl)}::text[], ${pairs.map((pair) => pair.unrealizedPnl)}::text[]) as p (r, u)`;
    expect(equity.at(-1)).toMatchObject({ realizedPnl: total?.realized, unrealizedPnl: total?.unrealized });
    expect(equity.at(-1)?.fillCount).toBe(tape.length);
  });
});

describe('a pair of more fills than one statement reads', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(18, 'migrated');
    await database.sql`
      insert into fills (id, symbol, side, price, size, tradeid, timestamp)
      select i::text, 'A', 'buy', 1, 1, i, i from generate_series(1, 1500) as i`;
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  test('is of one instant in a transaction of repeatable read; elsewhere each statement has its own, and it closes', async () => {
    const db = drizzle(database.sql);
    const readWhileInserting = (id: string, isolationLevel: 'read committed' | 'repeatable read') =>
      db.transaction(
        async (tx) => {
          await listPairPnl(tx, { method: 'fifo' });
          // Behind the first page, on another connection.
          await database.sql`
            insert into fills (id, symbol, side, price, size, execid, timestamp)
            values (${id}, 'A', 'sell', 3, 1, ${id}, 9999)`;
          return listPairPnl(tx, { method: 'fifo', marks: { A: '2' } });
        },
        { isolationLevel },
      );
    expect(await readWhileInserting('x', 'repeatable read')).toMatchObject([
      { fillCount: 1500, cashFlow: '-1500', realizedPnl: '0', unrealizedPnl: '1500' },
    ]);
    expect(await readWhileInserting('y', 'read committed')).toMatchObject([
      { fillCount: 1502, cashFlow: '-1494', position: '1498', realizedPnl: '4', unrealizedPnl: '1498' },
    ]);
  });

  test('a signal ends it at once, also while a page is read, and keeps no listener', async () => {
    const db = drizzle(database.sql);
    const controller = new AbortController();
    const { signal } = controller;
    await listPairPnl(db, { method: 'fifo', signal });
    await listEquity(db, { method: 'fifo', bucket: 'hour', fromMs: 0, toMs: 9, signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const reason = new Error('stopped');
    await database.sql.begin(async (blocker) => {
      await blocker`lock table fills`;
      const pnl = listPairPnl(db, { method: 'fifo', signal }).catch((error: unknown) => error);
      setTimeout(() => controller.abort(reason), 50);
      expect(await pnl).toBe(reason);
    });
    await expect(listPairPnl(db, { method: 'average', signal })).rejects.toBe(reason);
  });
});
