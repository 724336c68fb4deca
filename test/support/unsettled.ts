import { type Database, type SettlementCounts, saveSessions } from '../../src/queries/index.ts';

/** A worker that has done nothing. */
export const noneSettled: SettlementCounts = { settled: 0, incomplete: 0, failed: 0, released: 0, lost: 0 };

/** Options of a worker that takes whatever awaits settlement, and then ends. */
export const settleOnce = { startedAfterMs: 0, whenIdle: 'end' } as const;

/** Sessions `s0`, `s1`, … that await settlement. */
export const insertUnsettled = (db: Database, count: number): Promise<unknown> =>
  saveSessions(
    db,
    Array.from({ length: count }, (_, i) => ({
      id: `s${i}`,
      settleSession: true,
      startedAt: i,
      lastUpdated: 1,
    })),
  );
