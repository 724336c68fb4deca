import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { applyMigrations, rollbackMigration } from '../../src/own/index.ts';
import { createDatabase } from '../support/database.ts';
import { lastTag, tags } from '../support/facts.ts';
import { oddities } from '../support/oddities.ts';
import { expectDone, walkThereAndBack } from '../support/runner-walk.ts';
import { createRunners, type RunnerName, type Runners, runnerNames } from '../support/runners.ts';
import { serverVersions } from '../support/server.ts';

let runners: Runners;
beforeAll(async () => {
  runners = await createRunners();
});
afterAll(() => runners[Symbol.asyncDispose]());

// Here, each runner once at each place; all assignments of runners to files are a long test.
const orders: readonly (readonly RunnerName[])[] = runnerNames.map((_, at) => [
  ...runnerNames.slice(at),
  ...runnerNames.slice(0, at),
]);

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test.each(orders)('applied by %s, then %s, then %s, rolled back, and applied again', async (...order) => {
    await walkThereAndBack(runners, version, order);
  });

  test('all at once: each file is recorded once, and whoever came too late is refused in words', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    const outcomes = await Promise.allSettled(
      [...runnerNames, ...runnerNames].map((runner) => runners.applyUpTo[runner](db.url, lastTag)),
    );
    expect(outcomes.map(({ status }) => status)).toContain('fulfilled');
    await expectDone(runners, db, version);
  });

  test.each(['kit 0.31', 'kit 1.0'] as const)(
    'rows that %s has left in the default journal are adopted under their names',
    async (runner) => {
      await using db = await createDatabase(version, 'legacy');
      await runners.applyByDefault[runner](db.url);
      expect(await db.sql`select from multi_pair_db.migrations`).toEqual([]);
      await using connection = await openConnection(db.url);
      expect(await applyMigrations(connection)).toMatchObject({ applied: [], repaired: [] });
      await expectDone(runners, db, version);
      await rollbackMigration(connection, lastTag, { acceptDataLoss: true });
      expect(await db.sql`select from drizzle.__drizzle_migrations`).toHaveLength(tags.length - 1);
      await runners.applyUpTo[runner](db.url, lastTag);
      await expectDone(runners, db, version);
    },
  );

  test('a row that has lost its name: drizzle-kit 1.0 is refused in words, and our engine names it', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql`update multi_pair_db.migrations set name = null`;
    await expect(runners.applyUpTo['kit 1.0'](db.url, lastTag)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('another run has applied it in the meantime') },
    });
    await runners.applyUpTo.engine(db.url, lastTag);
    await expectDone(runners, db, version);
  });
});
