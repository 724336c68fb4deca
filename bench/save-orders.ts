import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { type OrderInput, saveOrders } from '../src/queries/index.ts';
import { type Benchmark, median, ms, withDatabases } from './measure.ts';

const count = 100_000;
const rounds = 5;
const goal = 0.5;

/** 100,000 orders by `saveOrders`, half of them stored before, and by COPY of as many new ones with all indexes. */
export const saveOrdersBenchmark: Benchmark = {
  name: 'save-orders',
  measure: () =>
    withDatabases(['bench'], async (client) => {
      if (client === undefined) return [];
      const db = drizzle(client);
      await client`insert into sessions (id, pairs) select 'session-' || i, '["BTC/USDT", "ETH/USDT"]' from generate_series(0, 59) as i`;
      const orders = createOrders();
      const stored = orders.filter((_, i) => i % 2 === 0).map((order) => ({ ...order, ...asPlaced }));
      const times = { copy: [] as number[], save: [] as number[] };
      const ways = {
        copy: () => copyOrders(client, orders),
        save: async () => {
          const saved = await saveOrders(db, orders);
          if (saved.some(({ outcome }, i) => outcome !== (i % 2 === 0 ? 'updated' : 'inserted'))) {
            throw new Error('not all were saved');
          }
        },
      };
      // In turn, so that whatever else the machine does hits both alike; the first round warms up.
      for (let round = 0; round <= rounds; round++) {
        for (const way of ['copy', 'save'] as const) {
          await client`truncate orders, fills`;
          if (way === 'save') await copyOrders(client, stored);
          await client`checkpoint`;
          const start = performance.now();
          await ways[way]();
          if (round > 0) times[way].push(performance.now() - start);
        }
      }
      const [copied, saved] = [median(times.copy), median(times.save)];
      const rate = (time: number) => `${Math.round(count / time)},000 rows/s`;
      return [
        {
          what: 'saveOrders, 100,000 rows, half of them new',
          measured: `${(copied / saved).toFixed(2)} × COPY`,
          goal: `≥ ${goal} ×`,
          against: `${rate(saved)} (${ms(saved)}); COPY ${rate(copied)} (${ms(copied)})`,
          ok: copied / saved >= goal,
        },
      ];
    }),
};

/** An order as it was stored when it was placed. */
const asPlaced = { status: 'open', filledSize: '0', remaining: '1', lastUpdated: 1_723_161_255_000 };

const keys = [
  'id',
  'sessionId',
  'clientOrderId',
  'symbol',
  'side',
  'type',
  'status',
  'size',
  'filledSize',
  'remaining',
  'price',
  'timestamp',
  'lastUpdated',
  'exchange',
] as const satisfies readonly (keyof OrderInput)[];

function createOrders(): OrderInput[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `order-${String(i).padStart(6, '0')}`,
    sessionId: `session-${i % 60}`,
    clientOrderId: `client-${i}`,
    symbol: i % 3 === 0 ? 'ETH/USDT' : 'BTC/USDT',
    side: i % 2 === 0 ? 'buy' : 'sell',
    type: 'limit',
    status: 'filled',
    size: '1',
    filledSize: '1',
    remaining: '0',
    price: (60_000 + ((i * 7919) % 1000) / 10).toFixed(1),
    timestamp: 1_723_161_255_342 + i,
    lastUpdated: 1_723_161_260_000 + i,
    exchange: 'binance',
  }));
}

async function copyOrders(client: Sql, orders: readonly OrderInput[]): Promise<void> {
  const names = keys.map((key) => key.toLowerCase()).join(', ');
  const target = await client.unsafe(`copy orders (${names}) from stdin`).writable();
  await pipeline(Readable.from(toCopyText(orders)), target);
}

function* toCopyText(orders: readonly OrderInput[]): Generator<string> {
  let text = '';
  for (const order of orders) {
    text += `${keys.map((key) => order[key]).join('\t')}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}
