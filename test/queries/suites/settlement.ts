import { expect, test } from 'vitest';
import {
  claimSessionsToSettle,
  hasOpenSells,
  insertOrders,
  insertSession,
  listSessionsToSettle,
  recordSettlement,
  reopenSettlement,
  type SessionKey,
  type SettlementKey,
  type Transaction,
} from '../../../src/queries/index.ts';
import { readPages } from './pairs.ts';
import { type Run, type RunInTransaction, selectAll } from './variants.ts';

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
const hour = 3_600_000;

export function settlementSuite(run: Run, inTransaction: RunInTransaction): void {
  test('settlement: nothing to do in an empty table', async () => {
    await run(async (db) => {
      expect(await listSessionsToSettle(db)).toEqual([]);
      await expect(recordSettlement(db, { sessionId: 's', complete: true })).rejects.toMatchObject({
        code: 'not_found',
      });
    });
    await inTransaction(async (tx) => expect(await claimSessionsToSettle(tx)).toEqual([]));
  });

  test('settlement: exactly the sessions that are to be settled, are not, and started in time', () =>
    run(async (db) => {
      const now = Date.now();
      const rows = [
        { id: 'null', settledComplete: null },
        { id: 'false', settledComplete: false },
        { id: 'true', settledComplete: true },
        { id: 'no', settleSession: false },
        { id: 'unknown', settleSession: null },
        { id: 'unstarted', startedAt: null },
        { id: 'old', startedAt: now - 25 * hour },
        { id: 'recent', startedAt: now - 23 * hour },
      ];
      for (const row of rows) await insertSession(db, { settleSession: true, startedAt: now, ...row });
      expect(ids(await listSessionsToSettle(db))).toEqual(['null', 'false', 'recent']);
      expect(ids(await listSessionsToSettle(db, { lookbackHours: 0.5 }))).toEqual(['null', 'false']);
      expect(ids(await listSessionsToSettle(db, { lookbackHours: 26 }))).toHaveLength(4);
      expect(ids(await listSessionsToSettle(db, { startedAfterMs: now }))).toEqual(['null', 'false']);
      expect(ids(await listSessionsToSettle(db, { startedAfterMs: now + 1 }))).toEqual([]);
    }));

  test('settlement: pair and exchange, and every page size', () =>
    run(async (db) => {
      const row = { settleSession: true };
      await insertSession(db, { ...row, id: 'a', startedAt: 1, pairs: ['A', 'B'], exchange: 'okx' });
      await insertSession(db, { ...row, id: 'b', startedAt: 1, pairs: ['B'], exchange: 'okx' });
      await insertSession(db, { ...row, id: 'c', startedAt: 2, symbol: 'B' });
      const options = { startedAfterMs: 0 };
      expect(ids(await listSessionsToSettle(db, { ...options, pair: 'A' }))).toEqual(['a']);
      expect(ids(await listSessionsToSettle(db, { ...options, pair: 'a' }))).toEqual([]);
      expect(ids(await listSessionsToSettle(db, { ...options, exchange: 'okx', pair: 'B' }))).toEqual([
        'b',
        'a',
      ]);
      for (const limit of [1, 2, 3, 1000]) {
        const list = (after: SessionKey | undefined) =>
          listSessionsToSettle(db, { ...options, limit, after });
        expect(await readPages(list)).toEqual(['c', 'b', 'a']);
      }
    }));

  test('settlement: claimed, settled and recorded in one transaction', () =>
    inTransaction(async (tx) => {
      for (const id of ['a', 'b']) await insertSession(tx, { id, settleSession: true, startedAt: 1 });
      await insertOrders(tx, [{ id: 'o', sessionId: 'b', side: 'sell', status: 'open' }]);
      for (const { id } of await claimSessionsToSettle(tx, { startedAfterMs: 0, limit: 10 })) {
        await recordSettlement(tx, { sessionId: id, complete: !(await hasOpenSells(tx, { sessionId: id })) });
      }
      expect(ids(await listSessionsToSettle(tx, { startedAfterMs: 0 }))).toEqual(['b']);
    }));

  test('settlement: claims go to the never tried, then to the longest untried, and leave a stamp', () =>
    inTransaction(async (tx) => {
      const tried = { a: 300, b: null, c: 100, d: null, e: 200 };
      let startedAt = 10;
      for (const [id, lastSettleAttempt] of Object.entries(tried)) {
        await insertSession(tx, { id, settleSession: true, startedAt: startedAt--, lastSettleAttempt });
      }
      const before = Date.now();
      const options = { startedAfterMs: 0, limit: 2 };
      const first = await claimSessionsToSettle(tx, options);
      expect(ids(first)).toEqual(['d', 'b']);
      for (const row of first) expect(row.lastSettleAttempt).toBeGreaterThan(before - 60_000);
      // Within one transaction, too, a claim is not given twice.
      expect(ids(await claimSessionsToSettle(tx, options)).sort()).toEqual(['c', 'e']);
      expect(ids(await claimSessionsToSettle(tx, options))).toEqual(['a']);
      expect(await claimSessionsToSettle(tx, options)).toEqual([]);
      expect(await claimSessionsToSettle(tx, { ...options, retryAfterMs: 0, limit: 10 })).toHaveLength(5);
    }));

  test('settlement: a claim looks at pair, exchange and time as the list does', () =>
    inTransaction(async (tx) => {
      const row = { settleSession: true, startedAt: 1 };
      await insertSession(tx, { ...row, id: 'a', pairs: ['A'], exchange: 'okx' });
      await insertSession(tx, { ...row, id: 'b', pairs: ['A'], exchange: 'kraken' });
      expect(await claimSessionsToSettle(tx)).toEqual([]);
      expect(await claimSessionsToSettle(tx, { startedAfterMs: 0, pair: 'B' })).toEqual([]);
      expect(ids(await claimSessionsToSettle(tx, { startedAfterMs: 0, pair: 'A', exchange: 'okx' }))).toEqual(
        ['a'],
      );
    }));

  test('settlement: a result is recorded, and success is not taken back', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', settleSession: true, startedAt: 1 });
      const failed = await recordSettlement(db, { sessionId: 's', complete: false });
      expect(failed).toMatchObject({ id: 's', settledComplete: false });
      expect(failed.lastSettleAttempt).toBeGreaterThan(1_700_000_000_000);
      expect(ids(await listSessionsToSettle(db, { startedAfterMs: 0 }))).toEqual(['s']);

      expect(await recordSettlement(db, { sessionId: 's', complete: true })).toMatchObject({
        settledComplete: true,
      });
      expect(await listSessionsToSettle(db, { startedAfterMs: 0 })).toEqual([]);
      expect(await recordSettlement(db, { sessionId: 's', complete: false })).toMatchObject({
        settledComplete: true,
      });
      expect(await selectAll(db, 'select settledcomplete from sessions')).toEqual([
        { settledcomplete: true },
      ]);
    }));

  test('settlement: the order of the claims, at every page size, is the order in which they claim', async () => {
    await inTransaction(async (tx) => {
      const tried = { a: 300, b: null, c: 100, d: null, e: 100, f: null };
      let startedAt = 10;
      for (const [id, lastSettleAttempt] of Object.entries(tried)) {
        await insertSession(tx, { id, settleSession: true, startedAt: startedAt--, lastSettleAttempt });
      }
      await insertSession(tx, { id: 'g', settleSession: true, startedAt: 5, lastSettleAttempt: null });
      const options = { startedAfterMs: 0, order: 'never-tried-first' } as const;
      const expected = ['f', 'g', 'd', 'b', 'e', 'c', 'a'];
      // Of equal starts the lower id comes first: f, which has 5, comes before g.
      for (const limit of [1, 2, 3, 1000]) {
        const seen: string[] = [];
        let after: SettlementKey | undefined;
        for (let pages = 0; pages < 10; pages++) {
          const page = await listSessionsToSettle(tx, { ...options, limit, after });
          seen.push(...ids(page));
          after = page.at(-1);
          if (after === undefined) break;
        }
        expect(seen).toEqual(expected);
      }
      const claimed: string[] = [];
      for (;;) {
        const page = await claimSessionsToSettle(tx, { startedAfterMs: 0, limit: 1 });
        if (page.length === 0) break;
        claimed.push(...ids(page));
      }
      expect(claimed).toEqual(expected);
    });
  });

  test('settlement: what is settled is reopened, and can be claimed at once', () =>
    inTransaction(async (tx) => {
      await insertSession(tx, { id: 's', settleSession: true, startedAt: 1 });
      await recordSettlement(tx, { sessionId: 's', complete: true });
      expect(await listSessionsToSettle(tx, { startedAfterMs: 0 })).toEqual([]);
      expect(await reopenSettlement(tx, { sessionId: 's' })).toEqual({
        id: 's',
        settledComplete: false,
        lastSettleAttempt: null,
      });
      expect(ids(await claimSessionsToSettle(tx, { startedAfterMs: 0 }))).toEqual(['s']);
      await expect(reopenSettlement(tx, { sessionId: 'x' })).rejects.toMatchObject({ code: 'not_found' });
    }));

  test('settlement: wrong options are refused before anything is sent', async () => {
    await run(async (db) => {
      const calls = [
        () => listSessionsToSettle(db, JSON.parse('{"lookbackHours":1,"startedAfterMs":1}')),
        () => listSessionsToSettle(db, { lookbackHours: 0 }),
        () => listSessionsToSettle(db, { lookbackHours: Number.NaN }),
        () => listSessionsToSettle(db, { startedAfterMs: 0.5 }),
        () => listSessionsToSettle(db, { after: { startedAt: null, id: 'a' } }),
        () => listSessionsToSettle(db, { pair: '\0' }),
        () => recordSettlement(db, { sessionId: 's', complete: JSON.parse('"yes"') }),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'invalid_argument' });
    });
    await inTransaction(async (tx) => {
      await expect(claimSessionsToSettle(tx, { retryAfterMs: -1 })).rejects.toMatchObject({
        code: 'invalid_argument',
      });
      // A plain handle, where types are not checked: the locks would be gone before the call returns.
      const handle = { _: tx._ } as Transaction;
      await expect(claimSessionsToSettle(handle)).rejects.toThrow(/takes a transaction/);
    });
  });
}
