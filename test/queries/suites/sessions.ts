import { getTableColumns } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  findSession,
  insertSession,
  listSessions,
  type SessionKey,
  setSessionStatus,
} from '../../../src/queries/index.ts';
import { sessions } from '../../../src/schema/index.ts';
import { hostileTexts, readPages } from './pairs.ts';
import type { Run } from './variants.ts';

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

export function sessionsSuite(run: Run): void {
  test('sessions: nothing is found in an empty table', () =>
    run(async (db) => {
      expect(await findSession(db, { id: 's' })).toBeUndefined();
      expect(await listSessions(db)).toEqual([]);
      expect(await listSessions(db, { status: 'running', exchange: 'okx' })).toEqual([]);
      await expect(setSessionStatus(db, { sessionId: 's', status: 'x' })).rejects.toMatchObject({
        code: 'not_found',
      });
    }));

  test('sessions: one is found with all of its columns', () =>
    run(async (db) => {
      const row = { id: 's', startedAt: 5, budget: 0.5, settings: { a: [1] }, data: 'text', pairs: ['A'] };
      await insertSession(db, row);
      await insertSession(db, { id: 'S' });
      const nothing = Object.fromEntries(Object.keys(getTableColumns(sessions)).map((key) => [key, null]));
      expect(await findSession(db, { id: 's' })).toEqual({ ...nothing, ...row, pairCount: 1 });
    }));

  test('sessions: a status is set exactly as it is, with the time', () =>
    run(async (db) => {
      await insertSession(db, { id: 's', status: 'running', endReason: 'none', pairs: ['A'] });
      await insertSession(db, { id: 't', status: 'running' });
      for (const status of hostileTexts) {
        const stored = await setSessionStatus(db, { sessionId: 's', status });
        expect(stored).toMatchObject({ id: 's', status, endReason: 'none', pairs: ['A'] });
        expect(stored.lastUpdated).toBeGreaterThan(1_700_000_000_000);
        expect(ids(await listSessions(db, { status }))).toEqual(['s']);
      }
      expect((await findSession(db, { id: 't' }))?.status).toBe('running');
    }));

  test('sessions: every filter, alone and together, at every page size, each row once', () =>
    run(async (db) => {
      const starts = [5, 5, 9, null, 0, -3, null, 7];
      const statuses = ['RUNNING', 'running', 'completed', null, 'Run-ning'];
      const exchanges = ['okx', 'kraken', null];
      const rows = Array.from({ length: 60 }, (_, i) => ({
        id: `s${String(i).padStart(2, '0')}`,
        startedAt: starts[i % starts.length] ?? null,
        status: statuses[i % statuses.length] ?? null,
        exchange: exchanges[i % exchanges.length] ?? null,
      }));
      for (const row of rows) await insertSession(db, row);
      const rank = ({ startedAt }: { startedAt: number | null }) => startedAt ?? Number.NEGATIVE_INFINITY;
      const inOrder = rows.toSorted((a, b) => rank(b) - rank(a) || (a.id < b.id ? 1 : -1));
      for (const status of [undefined, 'running', 'COMPLETED', 'none']) {
        for (const exchange of [undefined, 'okx', 'OKX']) {
          for (const startedAfterMs of [undefined, 5]) {
            const expected = inOrder.filter(
              (row) =>
                (status === undefined ||
                  row.status?.toLowerCase().replace('-', '') === status.toLowerCase()) &&
                (exchange === undefined || row.exchange === exchange) &&
                (startedAfterMs === undefined || rank(row) >= startedAfterMs),
            );
            for (const limit of [1, 7, 1000]) {
              const list = (after: SessionKey | undefined) =>
                listSessions(db, { status, exchange, startedAfterMs, limit, after });
              expect(await readPages(list)).toEqual(ids(expected));
            }
          }
        }
      }
    }));

  test('sessions: wrong options are refused before anything is sent', () =>
    run(async (db) => {
      const calls = [
        () => findSession(db, { id: 'a\0' }),
        () => listSessions(db, { limit: 0 }),
        () => listSessions(db, { startedAfterMs: 1.5 }),
        () => listSessions(db, { status: '\0' }),
        () => listSessions(db, { after: JSON.parse('{"id":"a"}') }),
        () => setSessionStatus(db, { sessionId: 's', status: JSON.parse('7') }),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'invalid_argument' });
    }));
}
