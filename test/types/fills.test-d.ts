import { expectTypeOf, test } from 'vitest';
import {
  correctFill,
  type Database,
  type FillCorrection,
  type FillInput,
  type FillInsertion,
  findFill,
  findLatestFill,
  insertFills,
  listDuplicateFills,
  listFills,
  listFillsInRange,
  listPairPerformance,
  listPairVolume,
  streamFills,
} from '../../src/queries/index.ts';
import type { Fill } from '../../src/schema/index.ts';

declare const db: Database;

test('a fill needs its id alone; decimals and the venue’s id come in many forms', () => {
  expectTypeOf<{ id: string }>().toExtend<FillInput>();
  expectTypeOf<{ id: string; price: string; tradeId: string }>().toExtend<FillInput>();
  expectTypeOf<{ id: string; price: number; tradeId: bigint }>().toExtend<FillInput>();
  expectTypeOf<Fill>().toExtend<FillInput>();
  // @ts-expect-error no id
  insertFills(db, [{ symbol: 'BTC/USD' }]);
  // @ts-expect-error the column's name in the database
  insertFills(db, [{ id: 'a', orderid: 'o' }]);
  // @ts-expect-error no options in between
  insertFills(db, { reportAlike: true }, []);
});

test('alike fills are there if they were asked for', () => {
  expectTypeOf(insertFills(db, [])).resolves.toEqualTypeOf<FillInsertion[]>();
  expectTypeOf<FillInsertion>().not.toHaveProperty('alike');
  expectTypeOf(insertFills(db, [], { reportAlike: true }))
    .resolves.items.toHaveProperty('alike')
    .toEqualTypeOf<readonly string[]>();
});

test('rows are exact', () => {
  expectTypeOf(listFills(db, { sessionId: 's' })).resolves.toEqualTypeOf<Fill[]>();
  expectTypeOf(findLatestFill(db, { symbol: 'A' })).resolves.toEqualTypeOf<Fill | undefined>();
  expectTypeOf(streamFills(db, { sessionId: 's' })).toExtend<AsyncIterable<Fill>>();
  expectTypeOf(listPairPerformance(db, { sessionId: 's' }))
    .resolves.items.toHaveProperty('realizedPnl')
    .toBeString();
  expectTypeOf(listDuplicateFills(db))
    .resolves.items.toHaveProperty('ids')
    .toEqualTypeOf<readonly string[]>();
});

test('fills of an order alone, one by its id, and its correction', () => {
  expectTypeOf(listFills(db, { orderId: 'o', symbol: 'A' })).resolves.toEqualTypeOf<Fill[]>();
  expectTypeOf(findFill(db, { id: 'f' })).resolves.toEqualTypeOf<Fill | undefined>();
  expectTypeOf(
    correctFill(db, { id: 'f', set: { price: '1', tradeId: 7, fee: null } }),
  ).resolves.toEqualTypeOf<Fill>();
  expectTypeOf<Omit<FillInput, 'id'>>().toEqualTypeOf<FillCorrection>();
  // @ts-expect-error neither a session nor an order
  listFills(db, { symbol: 'A' });
  // @ts-expect-error the id is what it is known by
  correctFill(db, { id: 'f', set: { id: 'g' } });
  // @ts-expect-error nothing to set
  correctFill(db, { id: 'f' });
});

test('the last row is the key of the next page', async () => {
  const page = await listFills(db, { sessionId: 's' });
  listFills(db, { sessionId: 's', after: page.at(-1) });
  const volumes = await listPairVolume(db, { bucket: 'day', fromMs: 0, toMs: 1 });
  listPairVolume(db, { bucket: 'day', fromMs: 0, toMs: 1, after: volumes.at(-1) });
  // @ts-expect-error half a key
  listFills(db, { sessionId: 's', after: { id: 'a' } });
});

test('options that exclude one another cannot be given together, nor left out together', () => {
  // @ts-expect-error a session and a range
  streamFills(db, { sessionId: 's', symbol: 'A', fromMs: 0, toMs: 1 });
  // @ts-expect-error neither
  streamFills(db, { symbol: 'A' });
  // @ts-expect-error a session and a range
  listPairPerformance(db, { sessionId: 's', fromMs: 0, toMs: 1 });
  // @ts-expect-error half a range
  listPairPerformance(db, { fromMs: 0 });
  // @ts-expect-error an order without its session
  findLatestFill(db, { symbol: 'A', orderId: 'o' });
  // @ts-expect-error no pair
  listFillsInRange(db, { fromMs: 0, toMs: 1 });
  // @ts-expect-error no such bucket
  listPairVolume(db, { bucket: 'week', fromMs: 0, toMs: 1 });
});
