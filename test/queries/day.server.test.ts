import { drizzle } from 'drizzle-orm/postgres-js';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Database,
  insertFills,
  listEquity,
  listPairPnl,
  listSessionsToSettle,
  type OrderInput,
  saveOrders,
  saveSessions,
  streamFills,
} from '../../src/queries/index.ts';
import { createDatabase } from '../support/database.ts';
import { formatDecimal, multiply, parseDecimal, shortestFloat4 } from '../support/decimal.ts';
import { plainPnl, toTexts } from '../support/plain-pnl.ts';
import { findMeetings, prepareSettleWorkers } from '../support/settle-workers.ts';
import { hasTapes, loadTape, needsTapes, type TapeFill } from '../support/tape.ts';
import { until } from '../support/waiting.ts';

describe.skipIf(!hasTapes)(`a day${needsTapes}`, () => {
  let tape: TapeFill[];
  beforeAll(async () => {
    tape = await loadTape('multi-pair-fills', 8_000);
  });

  test('sessions and orders are saved, filled from the tape, settled by three workers of which one is killed, and P&L closes', async () => {
    await using database = await createDatabase(18, 'migrated');
    const db = drizzle(database.sql);
    // Each one at a time, so the first is at its third session until it is killed, and has settled two.
    await using workers = await prepareSettleWorkers(database.url);
    const [victim, second, third] = await Promise.all([workers.start(3), workers.start(), workers.start()]);
    const sessions = sessionsOf(tape);
    expect(sessions.length).toBeGreaterThan(20);
    const late = sessions.splice(6);

    victim.begin();
    await trade(db, sessions);
    await until(async () => victim.begun() === 3, 'the first worker is at its third session');
    second.begin();
    third.begin();
    const traded = trade(db, late);
    await until(async () => second.begun() + third.begun() > 0, 'others are at work, too');
    await victim.kill();
    await traded;
    const isAllSettled = async () => (await listSessionsToSettle(db, { startedAfterMs: 0 })).length === 0;
    await until(isAllSettled, 'all sessions are settled');
    const counts = await Promise.all([second.stop(), third.stop()]);

    // Each exactly once.
    const count = sessions.length + late.length;
    expect(counts.map(({ settled }) => settled).reduce((sum, settled) => sum + settled, 2)).toBe(count);
    const hung = victim.visits().at(-1)?.id;
    expect([...second.visits(), ...third.visits()].map(({ id }) => id)).toContain(hung);
    expect(findMeetings([victim, second, third].flatMap((worker) => worker.visits()))).toEqual([]);
    const rows = await database.sql<{ complete: boolean; count: number }[]>`
      select settledcomplete as complete, count(*)::integer as count from sessions group by 1`;
    expect(rows).toEqual([{ complete: true, count }]);

    await expectPnlToClose(db, tape);
  });
});

/** Ten seconds of a venue are a session. */
const sessionsOf = (tape: readonly TapeFill[]): TapeFill[][] => [
  ...groupBy(tape, ({ sessionId }) => sessionId).values(),
];

/** A session begins, its orders are placed, and filled as the tape goes; then it is to be settled. */
async function trade(db: Database, sessions: readonly TapeFill[][]): Promise<void> {
  for (const fills of sessions) {
    const [{ sessionId: id, timestamp: startedAt } = fills[0] as TapeFill] = fills;
    const pairs = [...new Set(fills.map(({ symbol }) => symbol))];
    const running = { id, pairs, status: 'running', startedAt, lastUpdated: startedAt };
    expect(await saveSessions(db, [running])).toEqual([{ id, outcome: 'inserted' }]);
    const orders = ordersOf(fills);
    const placed = orders.map(({ open }) => open);
    expect(outcomes(await saveOrders(db, placed))).toEqual({ inserted: orders.length });
    expect(outcomes(await insertFills(db, fills))).toEqual({ inserted: fills.length });
    // The news that they are filled, and after it once more that they are open.
    const heard = [...orders.map(({ filled }) => filled), ...placed];
    expect(outcomes(await saveOrders(db, heard))).toEqual({ updated: orders.length, stale: orders.length });
    const endedAt = fills.at(-1)?.timestamp ?? startedAt;
    const completed = { id, status: 'completed', endedAt, settleSession: true, lastUpdated: endedAt + 1 };
    expect(outcomes(await saveSessions(db, [completed]))).toEqual({ updated: 1 });
  }
}

const outcomes = (rows: readonly { outcome: string }[]): Record<string, number> =>
  Object.fromEntries([...groupBy(rows, ({ outcome }) => outcome)].map(([key, { length }]) => [key, length]));

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

/** The orders of fills, as they are placed and as they are filled. */
function ordersOf(fills: readonly TapeFill[]): { open: OrderInput; filled: OrderInput }[] {
  return [...groupBy(fills, ({ orderId }) => orderId ?? '')].map(([id, own]) => {
    const [first = fills[0] as TapeFill] = own;
    const size = formatDecimal(own.reduce((sum, fill) => sum + parseDecimal(fill.size), 0n));
    const { sessionId, symbol, side, price, timestamp } = first;
    const open = {
      id,
      sessionId,
      symbol,
      side,
      price,
      size,
      timestamp,
      status: 'open',
      lastUpdated: timestamp,
    };
    const filled = { id, status: 'filled', filledSize: size, remaining: 0, lastUpdated: timestamp + 1 };
    return { open, filled };
  });
}

/** P&L of each pair is that of a plain reading, cash flow and position at the last price are what it comes to, and equity ends there. */
async function expectPnlToClose(db: Database, tape: readonly TapeFill[]): Promise<void> {
  const range = { fromMs: 0, toMs: (tape.at(-1)?.timestamp ?? 0) + 1 };
  const trades = new Map<string, { quantity: bigint; price: bigint }[]>();
  const marks: Record<string, string> = {};
  for (const symbol of new Set(tape.map((fill) => fill.symbol))) {
    const own: { quantity: bigint; price: bigint }[] = [];
    for await (const { side, size, price } of streamFills(db, { symbol, ...range })) {
      const quantity = shortestFloat4(Number(size));
      own.push({ quantity: side === 'buy' ? quantity : -quantity, price: shortestFloat4(Number(price)) });
    }
    trades.set(symbol, own);
    marks[symbol] = formatDecimal(own.at(-1)?.price ?? 0n);
  }
  const pairs = await listPairPnl(db, { method: 'fifo', marks });
  expect(pairs.reduce((sum, { fillCount }) => sum + fillCount, 0)).toBe(tape.length);
  let total = 0n;
  for (const { symbol, ...pnl } of pairs) {
    expect(pnl).toMatchObject(toTexts(plainPnl(trades.get(symbol ?? '') ?? [], 'fifo')));
    const [cashFlow, position] = [parseDecimal(pnl.cashFlow), parseDecimal(pnl.position)];
    const worth = cashFlow + multiply(position, parseDecimal(marks[symbol ?? ''] ?? ''));
    expect(parseDecimal(pnl.realizedPnl) + parseDecimal(pnl.unrealizedPnl ?? '')).toBe(worth);
    total += worth;
  }
  const quoteRates = Object.fromEntries(Object.keys(marks).map((symbol) => [symbol, '1']));
  const fromMs = tape[0]?.timestamp ?? 0;
  const equity = await listEquity(db, { method: 'fifo', bucket: 'hour', ...range, fromMs, quoteRates });
  expect(equity.at(-1)).toMatchObject({ equity: formatDecimal(total), fillCount: tape.length });
}
