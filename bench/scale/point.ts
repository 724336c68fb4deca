import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import {
  type FillInput,
  insertFills,
  listSessionsByPair,
  listSessionsToSettle,
  type OrderInput,
  saveOrders,
} from '../../src/queries/index.ts';
import { medians } from '../measure.ts';
import { withLiveDatabases } from '../migration/live-database.ts';
import { measureUnderLoad } from '../migration/under-load.ts';
import { byEngine, type Way } from '../migration/ways.ts';

/** What was measured on a database with so many sessions and as many fills. */
export interface ScalePoint {
  readonly rows: number;
  /** The database before, with the indexes of the live schema. */
  readonly startBytes: number;
  readonly migrate: Work;
  readonly rollback: Work;
  /** A page of 100, median. */
  readonly settlementDiscoveryMs: number;
  readonly pairContainmentMs: number;
  /** 10,000 new rows, median, a row. */
  readonly insertFillsUsPerRow: number;
  readonly saveOrdersUsPerRow: number;
}

export interface Work {
  readonly tookMs: number;
  /** The longest wait of a reader or writer meanwhile, and of the same load before. */
  readonly longestMs: number;
  readonly idleLongestMs: number;
  /** WAL of the whole server, with what the load writes. */
  readonly walBytes: number;
  /** By how much the database has grown; negative where it has shrunk. */
  readonly grownBytes: number;
}

const batchRows = 10_000;

export const measurePoint = (rows: number): Promise<ScalePoint> =>
  withLiveDatabases(
    async (next) => {
      const url = await next();
      const sql = postgres(url, { max: 1, onnotice: () => {} });
      try {
        const [start] = await sql`select pg_database_size(current_database()) as bytes`;
        const migrate = await measureWork(sql, url, rows, byEngine('migrate'));
        await sql`vacuum (analyze) sessions, orders, fills`;
        const reads = await measureQueries(sql);
        const rollback = await measureWork(sql, url, rows, byEngine('rollback'));
        return { rows, startBytes: Number(start?.['bytes']), migrate, rollback, ...reads };
      } finally {
        await sql.end();
      }
    },
    { rows },
  );

async function measureWork(sql: Sql, url: string, rows: number, way: Way): Promise<Work> {
  const look = async () => {
    const [row] = await sql`
      select pg_current_wal_lsn() - '0/0' as wal, pg_database_size(current_database()) as bytes`;
    return { wal: Number(row?.['wal']), bytes: Number(row?.['bytes']) };
  };
  const before = await look();
  const { idle, during, tookMs } = await measureUnderLoad(url, way, [], rows);
  const after = await look();
  return {
    tookMs,
    longestMs: during.longestMs,
    idleLongestMs: idle.longestMs,
    walBytes: after.wal - before.wal,
    grownBytes: after.bytes - before.bytes,
  };
}

async function measureQueries(
  sql: Sql,
): Promise<Omit<ScalePoint, 'rows' | 'startBytes' | 'migrate' | 'rollback'>> {
  const db = drizzle(sql);
  let batch = 0;
  const times = await medians(100, {
    discovery: () => listSessionsToSettle(db, { startedAfterMs: 0 }),
    containment: () => listSessionsByPair(db, { pair: 'BTC/USD' }),
  });
  const writes = await medians(5, {
    fills: () => insertFills(db, makeFills(++batch)),
    orders: () => saveOrders(db, makeOrders(++batch)),
  });
  return {
    settlementDiscoveryMs: times.discovery,
    pairContainmentMs: times.containment,
    insertFillsUsPerRow: (writes.fills * 1_000) / batchRows,
    saveOrdersUsPerRow: (writes.orders * 1_000) / batchRows,
  };
}

const sessionId = (n: number): string => `s${String(1 + (n % 1_000)).padStart(8, '0')}`;

const makeFills = (batch: number): FillInput[] =>
  Array.from({ length: batchRows }, (_, n) => ({
    id: `scale ${batch} ${n}`,
    sessionId: sessionId(n),
    symbol: 'BTC/USD',
    side: 'buy',
    price: '60000.5',
    size: '0.5',
    timestamp: 1_800_000_000_000 + n,
    execId: `${batch}-${n}`,
  }));

const makeOrders = (batch: number): OrderInput[] =>
  Array.from({ length: batchRows }, (_, n) => ({
    id: `scale ${batch} ${n}`,
    sessionId: sessionId(n),
    symbol: 'BTC/USD',
    side: 'sell',
    status: 'open',
    price: '60000.5',
    size: '0.5',
    timestamp: 1_800_000_000_000 + n,
    lastUpdated: 1_800_000_000_000 + n,
  }));
