import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { listSessionsByPair } from '../src/queries/index.ts';
import { loadSessions, setStatistics } from '../test/support/load.ts';
import { type Benchmark, type Measurement, medians, ms, withDatabases } from './measure.ts';

const pairs = [
  ['COMMON', 'held by 60 %', 10],
  ['RARE', 'held by 0.01 %', 10],
  ['ONE', 'held by 1 %', undefined],
  ['FEW', 'held by 1 %, the oldest', undefined],
  ['OLD', 'held by 60 %, the oldest', undefined],
] as const;

/** Latest 100 of a million sessions: the worst of custom and generic plan, with statistics and without. */
export const pairContainment: Benchmark = {
  name: 'pair-containment',
  measure: () =>
    withDatabases(['bench'], async (client) => {
      if (client === undefined) return [];
      await loadSessions(client, 1_000_000, 500);
      const rows: Measurement[] = [];
      const worst = new Map<string, number>();
      for (const statistics of ['none', 'fresh'] as const) {
        await setStatistics(client, statistics);
        for (const mode of ['force_custom_plan', 'force_generic_plan']) {
          await client.unsafe(`set plan_cache_mode = ${mode}`);
          const db = drizzle(client);
          for (const [pair] of pairs) {
            const median = await medians(15, { list: () => listSessionsByPair(db, { pair }) });
            worst.set(pair, Math.max(worst.get(pair) ?? 0, median.list));
          }
        }
      }
      for (const [pair, label, goalMs] of pairs) {
        const scan = await sequentialScan(client, pair);
        const measured = worst.get(pair) ?? Number.NaN;
        rows.push({
          what: `latest 100 sessions of a pair ${label}`,
          measured: ms(measured),
          goal: goalMs === undefined ? '' : `≤ ${goalMs} ms`,
          against: `sequential scan ${ms(scan)}`,
          ok: goalMs === undefined ? undefined : measured <= goalMs,
        });
      }
      return rows;
    }),
};

async function sequentialScan(client: Sql, pair: string): Promise<number> {
  await client`set enable_indexscan = off`;
  await client`set enable_bitmapscan = off`;
  const median = await medians(3, {
    scan: () => client`
      select id, startedat, exchange, status, pairs from sessions
      where pairs @> jsonb_build_array(${pair}::text)
      order by startedat desc nulls last, id desc limit 100`,
  });
  await client`reset enable_indexscan`;
  await client`reset enable_bitmapscan`;
  return median.scan;
}
