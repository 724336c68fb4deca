import { desc, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { listOrders } from '../src/queries/index.ts';
import { orders } from '../src/schema/index.ts';
import { loadOrders, loadSessions, setStatistics } from '../test/support/load.ts';
import { type Benchmark, medians, ms, times, withDatabases } from './measure.ts';

/** A page of 100 orders through a helper, and the same statement through postgres.js alone. */
export const helperCall: Benchmark = {
  name: 'helper-call',
  measure: () =>
    withDatabases(['bench'], async (client) => {
      if (client === undefined) return [];
      await loadSessions(client, 10_000, 0);
      await loadOrders(client, 10_000);
      await setStatistics(client, 'fresh');
      const [session] = await client<{ sessionid: string }[]>`select sessionid from orders limit 1`;
      const sessionId = session?.sessionid ?? '';

      const sent: { text: string; params: unknown[] }[] = [];
      const logged = drizzle(client, { logger: { logQuery: (text, params) => sent.push({ text, params }) } });
      const page = await listOrders(logged, { sessionId });
      if (page.length !== 100)
        throw new Error(`a page of ${page.length} orders is not what is to be measured`);
      const text = sent[0]?.text ?? '';
      const params = [sessionId, 100];

      const db = drizzle(client);
      const median = await medians(1000, {
        driver: () => client.unsafe(text, params, { prepare: true }),
        helper: () => listOrders(db, { sessionId }),
        builder: () =>
          db
            .select()
            .from(orders)
            .where(eq(orders.sessionId, sessionId))
            .orderBy(desc(orders.timestamp))
            .limit(100)
            .execute(),
      });
      const ratio = median.helper / median.driver;
      return [
        {
          what: 'a helper call, 100 rows of 30 columns',
          measured: times(ratio),
          goal: '≤ 1.00 ×',
          against: `postgres.js ${ms(median.driver)}; Drizzle's builder ${times(median.builder / median.driver)}`,
          ok: ratio <= 1,
        },
      ];
    }),
};
