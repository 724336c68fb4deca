import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertFills, listPairPerformance, listPairVolume } from '../../../src/queries/index.ts';
import { fills as fillsTable } from '../../../src/schema/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { pageThrough } from '../../support/page-through.ts';
import { type PairSums, sumByPair } from '../../support/pair-sums.ts';
import { hasTapes, insertParents, loadTape, needsTapes, type TapeFill } from '../../support/tape.ts';
import { ignoreRollback, Rollback } from '../suites/pairs.ts';

const tape78k = 78_638;
const everything = { fromMs: 0, toMs: 2_000_000_000_000 };

describe.skipIf(!hasTapes)(`the multi-pair tape, 78,638 fills${needsTapes}`, () => {
  let database: TestDatabase;
  let db: ReturnType<typeof drizzle>;
  let tape: TapeFill[];
  let expected: PairSums[];
  beforeAll(async () => {
    database = await createDatabase(18, 'migrated');
    db = drizzle({ client: database.sql });
    tape = await loadTape('multi-pair-fills');
    await insertParents(database.sql, tape);
    const results = await insertFills(db, tape);
    expect(results.every(({ outcome }) => outcome === 'inserted')).toBe(true);
    expected = sumByPair(tape);
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  test('all are kept', async () => {
    const [row] = await database.sql`select count(*)::int as stored from fills`;
    expect(row).toEqual({ stored: tape78k });
  });

  test('a buy and a sell of one moment are two, and each of them is one in either case', async () => {
    // As a venue that gives no ids would tell it. The tape has one such moment.
    const bare = tape.map((fill) => ({ ...fill, orderId: null, tradeId: null }));
    const momentOf = ({ sessionId, symbol, timestamp, price, size }: TapeFill) =>
      [sessionId, symbol, timestamp, price, size].join(' ');
    const moments = new Map<string, TapeFill[]>();
    for (const fill of bare) moments.set(momentOf(fill), [...(moments.get(momentOf(fill)) ?? []), fill]);
    const [moment = [], ...others] = [...moments.values()].filter(
      (fills) => new Set(fills.map(({ side }) => side)).size > 1,
    );
    expect(moment.map(({ side }) => side).sort()).toEqual(['buy', 'sell', 'sell', 'sell', 'sell']);
    expect(others).toEqual([]);

    const session = bare.filter(({ sessionId }) => sessionId === moment[0]?.sessionId);
    const again = session.map((fill) => ({ ...fill, id: `again ${fill.id}`, side: fill.side.toUpperCase() }));
    await db
      .transaction(async (tx) => {
        await tx.delete(fillsTable).where(eq(fillsTable.sessionId, moment[0]?.sessionId ?? ''));
        const first = await insertFills(tx, session);
        const inserted = first.filter(({ outcome }) => outcome === 'inserted').map(({ id }) => id);
        const stored = moment.filter(({ id }) => inserted.includes(id)).map(({ side }) => side);
        expect(stored.sort()).toEqual(['buy', 'sell']);
        expect(inserted).toHaveLength(new Set(session.map((fill) => momentOf(fill) + fill.side)).size);
        expect(await insertFills(tx, again)).toEqual(first.map(({ id }) => ({ outcome: 'duplicate', id })));
        throw new Rollback();
      })
      .catch(ignoreRollback);
  });

  test('the sums of each pair are those of exact decimals', async () => {
    const rows = await listPairPerformance(db, everything);
    expect(rows.map(({ fees, excludedCount, unreadableFeeCount, ...sums }) => sums)).toEqual(expected);
    expect(rows.every(({ fees, excludedCount }) => fees.length === 0 && excludedCount === 0)).toBe(true);
  });

  test('the sums of each session are those of its fills', async () => {
    for (const sessionId of new Set(tape.slice(0, 20_000).map((fill) => fill.sessionId))) {
      const sums = sumByPair(tape.filter((fill) => fill.sessionId === sessionId));
      expect(await listPairPerformance(db, { sessionId })).toMatchObject(sums);
    }
  });

  test('the volumes of an hour are those of its fills', async () => {
    const [startMs, hourMs] = [1_723_154_400_000, 3_600_000];
    const range = { fromMs: startMs, toMs: startMs + 3 * hourMs };
    const symbols = expected.map(({ symbol }) => symbol);
    for (const options of [range, { ...range, symbols }]) {
      const rows = await listPairVolume(db, { bucket: 'hour', ...options });
      expect(rows.length).toBe(3 * symbols.length);
      for (const { bucketStartMs, symbol, fillCount, baseVolume, quoteVolume } of rows) {
        const fills = tape.filter(
          (fill) =>
            fill.symbol === symbol &&
            Math.floor((fill.timestamp - startMs) / hourMs) === (bucketStartMs - startMs) / hourMs,
        );
        const [sums = { fillCount: 0, baseVolume: '0', quoteVolume: '0' }] = sumByPair(fills);
        expect(sums).toMatchObject({ fillCount, baseVolume, quoteVolume });
      }
    }
  });

  test.each([
    [1, 300],
    [7, 2000],
    [100, 5000],
    [1000, 20_000],
  ])('lists and streams in pages of %i give each row once, in order', (limit, most) =>
    pageThrough(db, tape, { limit, most }),
  );
});
