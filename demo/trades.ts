import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { createRandom, pick } from './random.ts';

/** An execution, before it is anybody's. Price and size are exact decimals; the time is epoch milliseconds. */
export interface Trade {
  readonly exchange: string;
  readonly symbol: string;
  readonly side: string;
  readonly price: string;
  readonly size: string;
  readonly tradeid: string;
  readonly orderid: string;
  readonly timestamp: number;
}

/** Where the trades come from, and the trades, oldest first. */
export interface Trades {
  readonly source: string;
  readonly trades: readonly Trade[];
}

const tape = fileURLToPath(new URL('../../shared/data/multi-pair-fills.ndjson.gz', import.meta.url));

/** The first `count` trades of the real tape, or made ones where the tape is not here. */
export async function loadTrades(count: number): Promise<Trades> {
  return existsSync(tape)
    ? { source: 'real Binance trades', trades: await readTape(count) }
    : { source: 'made trades (fixed seed)', trades: makeTrades(count) };
}

async function readTape(count: number): Promise<Trade[]> {
  const lines = createInterface({ input: createReadStream(tape).pipe(createGunzip()) });
  const trades: Trade[] = [];
  for await (const line of lines) {
    trades.push(JSON.parse(line));
    if (trades.length === count) break;
  }
  return trades;
}

/** Two random walks of four sizes of trades, half a second apart. */
function makeTrades(count: number): Trade[] {
  const random = createRandom(20240808);
  const price = { 'BTC/USDT': 61_837.63, 'ETH/USDT': 2_683.8 };
  return Array.from({ length: count }, (_, i) => {
    const symbol = pick(random, ['BTC/USDT', 'ETH/USDT'] as const);
    price[symbol] *= 1 + (random() - 0.5) / 5000;
    return {
      exchange: 'binance-spot',
      symbol,
      side: pick(random, ['buy', 'sell']),
      price: price[symbol].toFixed(2),
      size: pick(random, ['0.002', '0.0345', '0.25', '1.5']),
      tradeid: String(1_520_538_925 + i),
      orderid: `order-${Math.floor(i / 3)}`,
      timestamp: 1_723_161_255_342 + i * 500,
    };
  });
}
