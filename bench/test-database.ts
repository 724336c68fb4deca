import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { insertFills, insertSession } from '../src/queries/index.ts';
import { buildFill, buildSession, createTestDatabase } from '../src/testing/index.ts';
import { type Benchmark, median, ms } from './measure.ts';

const fillCount = 400;

/** What a file of a service's tests pays for its database, and a test for an empty one. */
export const testDatabase: Benchmark = {
  name: 'test-database',
  measure: async () => {
    const cacheFolder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-bench-'));
    try {
      const create = () => createTestDatabase({ cacheFolder });
      const coldMs = await time(async () => (await create()).close());
      const warmMs: number[] = [];
      const resetMs: number[] = [];
      for (let round = 0; round < 5; round++) {
        const start = performance.now();
        const database = await create();
        warmMs.push(performance.now() - start);
        const session = buildSession();
        await insertSession(database.db, session);
        const fills = Array.from({ length: fillCount }, () => buildFill({ sessionId: session.id }));
        await insertFills(database.db, fills);
        resetMs.push(await time(() => database.reset()));
        await database.close();
      }
      const [warm, reset] = [median(warmMs), median(resetMs)];
      return [
        {
          what: 'createTestDatabase, warm',
          measured: ms(warm),
          goal: '≤ 600 ms',
          against: `the first of a release ${ms(coldMs)}`,
          ok: warm <= 600,
        },
        {
          what: 'reset of a test database',
          measured: ms(reset),
          goal: '≤ 20 ms',
          against: `with ${fillCount} fills`,
          ok: reset <= 20,
        },
      ];
    } finally {
      await rm(cacheFolder, { recursive: true, force: true });
    }
  },
};

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
