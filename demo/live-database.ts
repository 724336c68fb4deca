import { readFile } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';
import { createRandom, pick } from './random.ts';
import type { Trade } from './trades.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** What a row is before it is stored: columns by their live names; what is left out is null. */
type Row = Readonly<Record<string, unknown>>;

/** Makes the single-pair database of five days of trading: sessions of one pair, and the trades of the last minutes. */
export async function buildLiveDatabase(db: PGlite, trades: readonly Trade[], nowMs: number): Promise<void> {
  await db.exec(await readFile(new URL('legacy-schema.sql', import.meta.url), 'utf8'));
  await insert(db, 'sessions', [...makeSessions(20_000, nowMs)]);

  // The trades happened at some time; here the last one happened a moment ago.
  const shiftMs = nowMs - (trades.at(-1)?.timestamp ?? nowMs);
  const recent = trades.map((trade) => ({ ...trade, timestamp: trade.timestamp + shiftMs }));
  await insert(db, 'sessions', [...tradingSessions(recent).values()]);
  await insert(db, 'orders', [...tradingOrders(recent).values()]);
  await insert(db, 'fills', recent.map(fill));
  await db.exec('vacuum analyze');
}

/** Five days of sessions. One in six keeps its pair in `tradingpair`, a few have none, a few never started. */
function* makeSessions(count: number, nowMs: number): Generator<Row> {
  const random = createRandom(42);
  for (let i = 0; i < count; i++) {
    const startedAt = Math.floor(nowMs - random() * 5 * DAY_MS);
    const pair = pick(random, ['BTC/USD', 'BTC/USD', 'ETH/USD', 'SOL/USD', 'XRP/EUR', 'KRW-LAMB']);
    const where = random();
    const isOld = nowMs - startedAt > DAY_MS;
    yield {
      id: `session-${String(i).padStart(5, '0')}`,
      symbol: where < 0.82 ? pair : null,
      tradingpair: where >= 0.82 && where < 0.98 ? pair : null,
      exchange: pick(random, ['kraken', 'coinbase', 'upbit']),
      strategy: pick(random, ['spread', 'inventory', 'momentum']),
      status: 'completed',
      startedat: random() < 0.99 ? startedAt : null,
      settlesession: random() < 0.7,
      settledcomplete: random() < (isOld ? 0.9 : 0.6) ? true : pick(random, [null, false]),
    };
  }
}

const sessionOf = (trade: Trade): string =>
  `${trade.exchange} ${trade.symbol} ${Math.floor(trade.timestamp / (10 * MINUTE_MS))}`;

/** Ten minutes of one pair on one exchange are a session. */
function tradingSessions(trades: readonly Trade[]): Map<string, Row> {
  return new Map(
    trades.toReversed().map((trade) => [
      sessionOf(trade),
      {
        id: sessionOf(trade),
        symbol: trade.symbol,
        exchange: trade.exchange,
        strategy: 'spread',
        status: 'running',
        startedat: trade.timestamp,
        settlesession: true,
      },
    ]),
  );
}

const orderOf = (trade: Trade): string => `${sessionOf(trade)} ${trade.orderid}`;

function tradingOrders(trades: readonly Trade[]): Map<string, Row> {
  return new Map(
    trades.map((trade) => [
      orderOf(trade),
      {
        id: orderOf(trade),
        sessionid: sessionOf(trade),
        symbol: trade.symbol,
        side: trade.side,
        type: 'limit',
        status: 'filled',
        price: trade.price,
        timestamp: trade.timestamp,
      },
    ]),
  );
}

function fill(trade: Trade): Row {
  return {
    id: `${trade.exchange} ${trade.symbol} ${trade.tradeid}`,
    orderid: orderOf(trade),
    sessionid: sessionOf(trade),
    symbol: trade.symbol,
    side: trade.side,
    price: trade.price,
    size: trade.size,
    tradeid: trade.tradeid,
    timestamp: trade.timestamp,
  };
}

async function insert(
  db: PGlite,
  table: 'sessions' | 'orders' | 'fills',
  rows: readonly Row[],
): Promise<void> {
  // 5,000 rows a statement: some megabytes of JSON, which the embedded database takes in its stride.
  for (let i = 0; i < rows.length; i += 5000) {
    await db.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [
      JSON.stringify(rows.slice(i, i + 5000)),
    ]);
  }
}
