import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { hasOpenSells, listOpenOrders } from '../src/queries/index.ts';
import { setStatistics } from '../test/support/load.ts';
import { type Benchmark, type Measurement, medians, ms, withDatabases } from './measure.ts';

const rows = 500_000;
/** Of one session; the rest has 100 each. */
const inSession = 100_000;

/** Open orders in spellings that nobody has foreseen, found through the indexes of the exact ones. */
export const openOrders: Benchmark = {
  name: 'open-orders',
  measure: () =>
    withDatabases(['trading'], async (client) => {
      await load(client);
      const measured: Measurement[] = [];
      for (const statistics of ['fresh', 'none'] as const) {
        await setStatistics(client, statistics);
        for (const mode of ['force_custom_plan', 'force_generic_plan'] as const) {
          measured.push(...(await measure(client, mode, statistics)));
        }
      }
      return measured;
    }),
};

async function load(client: Sql): Promise<void> {
  await client`insert into sessions (id) select 's' || i from generate_series(0, ${rows / 100}::integer) as i`;
  await client`set session_replication_role = replica`;
  await client`
    insert into orders (id, sessionid, symbol, side, status, size, remaining, price, timestamp)
    select md5(i::text), 's' || case when i <= ${inSession}::integer then 0 else i / 100 end,
      (array['A', 'B', 'C'])[i % 3 + 1], case when i % 2 = 0 then 'BUY' else 'Sell' end,
      case when i % 5000 = 7 then (array['oPEN', 'Partially-Filled', 'NEW'])[i % 3 + 1]
        else (array['FILLED', 'filled', 'Canceled', 'EXPIRED'])[i % 4 + 1] end, 1, 0.5, 100, i
    from generate_series(1, ${rows}::integer) as i`;
  await client`set session_replication_role = origin`;
}

async function measure(client: Sql, mode: string, statistics: string): Promise<Measurement[]> {
  await client.unsafe(`set plan_cache_mode = ${mode}`);
  const db = drizzle(client);
  const median = await medians(200, {
    'of a session of 100,000': () => listOpenOrders(db, { sessionId: 's0' }),
    'sells of a session of 100,000': () => hasOpenSells(db, { sessionId: 's0' }),
    'sells of a session of 100': () => hasOpenSells(db, { sessionId: 's2000' }),
    'of a symbol': () => listOpenOrders(db, { symbol: 'A' }),
    'of all': () => listOpenOrders(db),
  });
  return Object.entries(median).map(([what, value]) => ({
    what: `open orders: ${what}, ${mode}, statistics ${statistics}`,
    measured: ms(value),
    goal: '≤ 10 ms',
    against: `${rows} orders`,
    ok: value <= 10,
  }));
}
