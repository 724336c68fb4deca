import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { type FillInput, insertFills } from '../src/queries/index.ts';
import { type Benchmark, median, ms, withDatabases } from './measure.ts';

const count = 100_000;
const rounds = 5;
const goal = 0.85;

/** 100,000 fills by `insertFills`, and by COPY of the same rows into the same table with all its indexes. */
export const insertFillsBenchmark: Benchmark = {
  name: 'insert-fills',
  measure: () =>
    withDatabases(['bench'], async (client) => {
      if (client === undefined) return [];
      const db = drizzle(client);
      const fills = await createFills(client);
      const times = { copy: [] as number[], insert: [] as number[] };
      const ways = {
        copy: () => copyFills(client, fills),
        insert: async () => {
          const results = await insertFills(db, fills);
          if (results.some(({ outcome }) => outcome !== 'inserted')) throw new Error('not all were inserted');
        },
      };
      // In turn, so that whatever else the machine does hits both alike; the first round warms up.
      for (let round = 0; round <= rounds; round++) {
        for (const way of ['copy', 'insert'] as const) {
          await client`truncate fills`;
          await client`checkpoint`;
          const start = performance.now();
          await ways[way]();
          if (round > 0) times[way].push(performance.now() - start);
        }
      }
      const [copied, inserted] = [median(times.copy), median(times.insert)];
      const rate = (time: number) => `${Math.round(count / time)},000 rows/s`;
      return [
        {
          what: 'insertFills, 100,000 rows',
          measured: `${(copied / inserted).toFixed(2)} × COPY`,
          goal: `≥ ${goal} ×`,
          against: `${rate(inserted)} (${ms(inserted)}); COPY ${rate(copied)} (${ms(copied)})`,
          ok: copied / inserted >= goal,
        },
      ];
    }),
};

/** In time order, as a day goes: 60 sessions, six pairs, an order in every four fills. */
async function createFills(client: Sql): Promise<FillInput[]> {
  const symbols = ['BTC/USDT', 'ETH/USDT', 'BTC/USDT:USDT', 'ETH/USDT:USDT', 'BTC/USD:BTC', 'ETH/USD:ETH'];
  await client`insert into sessions (id) select 'session-' || i from generate_series(0, 59) as i`;
  await client`
    insert into orders (id, sessionid)
    select 'order-' || i, 'session-' || (i % 60) from generate_series(0, ${count / 4 - 1}::integer) as i`;
  await client`analyze sessions, orders`;
  return Array.from({ length: count }, (_, i) => {
    const order = Math.floor(i / 4);
    return {
      id: `binance-${3_735_683_259 + i}`,
      sessionId: `session-${order % 60}`,
      orderId: `order-${order}`,
      symbol: symbols[order % symbols.length] ?? null,
      side: order % 3 === 0 ? 'sell' : 'buy',
      price: (60_000 + ((i * 7919) % 1000) / 10).toFixed(1),
      size: (0.001 * (1 + (i % 97))).toFixed(3),
      tradeId: String(3_735_683_259 + i),
      timestamp: 1_723_161_255_342 + Math.floor(i / 2),
    };
  });
}

async function copyFills(client: Sql, fills: readonly FillInput[]): Promise<void> {
  const target = await client`
    copy fills (id, sessionid, orderid, symbol, side, price, size, tradeid, timestamp) from stdin`.writable();
  await pipeline(Readable.from(toCopyText(fills)), target);
}

function* toCopyText(fills: readonly FillInput[]): Generator<string> {
  let text = '';
  for (const { id, sessionId, orderId, symbol, side, price, size, tradeId, timestamp } of fills) {
    text += `${[id, sessionId, orderId, symbol, side, price, size, tradeId, timestamp].join('\t')}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}
