import { drizzle } from 'drizzle-orm/postgres-js';
import { listSessionsToSettle } from '../src/queries/index.ts';
import { firstStartMs, loadSessions, setStatistics } from '../test/support/load.ts';
import { type Benchmark, medians, ms, times, withDatabases } from './measure.ts';

/** 100 of 500 sessions that await settlement, among 10,000 and among a million. */
export const settlementDiscovery: Benchmark = {
  name: 'settlement-discovery',
  measure: () =>
    withDatabases(['small', 'large'], async (small, large) => {
      if (small === undefined || large === undefined) return [];
      await loadSessions(small, 10_000, 500);
      await loadSessions(large, 1_000_000, 500);
      for (const client of [small, large]) await setStatistics(client, 'fresh');
      const list = (client: typeof small) => {
        const db = drizzle(client);
        return async () => {
          const page = await listSessionsToSettle(db, { startedAfterMs: firstStartMs });
          if (page.length !== 100) throw new Error(`a page of ${page.length} is not what is to be measured`);
        };
      };
      const median = await medians(500, { small: list(small), large: list(large) });
      const ratio = median.large / median.small;
      return [
        {
          what: 'settlement discovery, 1,000,000 sessions against 10,000',
          measured: times(ratio),
          goal: '≤ 1.3 ×',
          against: `${ms(median.large)} against ${ms(median.small)}`,
          ok: ratio <= 1.3,
        },
      ];
    }),
};
