import { drizzle } from 'drizzle-orm/postgres-js';
import { assertSchema } from '../src/queries/index.ts';
import { type Benchmark, medians, ms, withDatabases } from './measure.ts';

/** What a service's start pays for it, once connected. */
export const assertSchemaBenchmark: Benchmark = {
  name: 'assert-schema',
  measure: () =>
    withDatabases(['bench'], async (client) => {
      if (client === undefined) return [];
      const db = drizzle(client);
      const first = performance.now();
      await assertSchema(db);
      const firstMs = performance.now() - first;
      const { warm } = await medians(200, { warm: () => assertSchema(db) });
      return [
        {
          what: 'assertSchema',
          measured: ms(warm),
          goal: '≤ 5 ms',
          against: `the first call of a connection ${ms(firstMs)}`,
          ok: warm <= 5,
        },
      ];
    }),
};
