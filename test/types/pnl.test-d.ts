import { expectTypeOf, test } from 'vitest';
import {
  type Database,
  type Equity,
  listEquity,
  listPairPnl,
  type PairPnl,
} from '../../src/queries/index.ts';

declare const db: Database;
const range = { bucket: 'day', fromMs: 0, toMs: 1 } as const;

test('rows are exact, amounts are text, and what may be missing is null', () => {
  expectTypeOf(listPairPnl(db, { method: 'fifo' })).resolves.toEqualTypeOf<PairPnl[]>();
  expectTypeOf<PairPnl['realizedPnl']>().toEqualTypeOf<string>();
  expectTypeOf<PairPnl['unrealizedPnl']>().toEqualTypeOf<string | null>();
  expectTypeOf<PairPnl['averageCost']>().toEqualTypeOf<string | null>();
  expectTypeOf<PairPnl['symbol']>().toEqualTypeOf<string | null>();
  expectTypeOf(listEquity(db, { ...range, method: 'average' })).resolves.toEqualTypeOf<Equity[]>();
  expectTypeOf<Equity['drawdown']>().toEqualTypeOf<string>();
});

test('the last row is the key of the next page', async () => {
  const pairs = await listPairPnl(db, { method: 'fifo', exchange: 'okx' });
  listPairPnl(db, { method: 'fifo', exchange: 'okx', after: pairs.at(-1) });
  const days = await listEquity(db, { ...range, method: 'fifo', sessionId: 's' });
  listEquity(db, { ...range, method: 'fifo', sessionId: 's', after: days.at(-1) });
  // @ts-expect-error the key of a volume has a symbol, too, that of a pair nothing else
  listPairPnl(db, { method: 'fifo', after: { bucketStartMs: 0 } });
});

test('a rate is text, for all pairs or by pair', () => {
  listPairPnl(db, { method: 'fifo', feeRates: { BNB: '600', EUR: { 'BTC/USD': '1.1' } }, atMs: 1 });
  // @ts-expect-error a number may be rounded already
  listPairPnl(db, { method: 'fifo', feeRates: { BNB: 600 } });
  // @ts-expect-error so may a mark
  listPairPnl(db, { method: 'fifo', marks: { 'BTC/USD': 61837.63 } });
  // @ts-expect-error and a mark is of one pair
  listPairPnl(db, { method: 'fifo', marks: { 'BTC/USD': { USD: '1' } } });
});

test('the method must be said, a session and an exchange exclude one another', () => {
  // @ts-expect-error no method
  listPairPnl(db, { sessionId: 's' });
  // @ts-expect-error no such method
  listPairPnl(db, { method: 'lifo' });
  // @ts-expect-error both
  listPairPnl(db, { method: 'fifo', sessionId: 's', exchange: 'okx' });
  // @ts-expect-error both
  listEquity(db, { ...range, method: 'fifo', sessionId: 's', exchange: 'okx' });
  // @ts-expect-error no such bucket
  listEquity(db, { ...range, bucket: 'week', method: 'fifo' });
  // @ts-expect-error no range
  listEquity(db, { bucket: 'hour', method: 'fifo' });
});
