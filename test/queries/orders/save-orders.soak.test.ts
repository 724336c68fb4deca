import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, test } from 'vitest';
import { insertSession } from '../../../src/queries/index.ts';
import { createDatabase } from '../../support/database.ts';
import { deliveriesOf, newestOf, versionedSession } from '../../support/order-versions.ts';
import { serverVersions } from '../../support/server.ts';

const run = promisify(execFile);
const worker = fileURLToPath(new URL('../../support/save-deliveries.ts', import.meta.url));
const [orders, versions] = [5000, 12];

test.each(serverVersions)(
  'PostgreSQL %i: four processes save 5,000 orders in 12 versions, shuffled, repeated and stale: the newest of each is stored, no deadlock',
  async (version) => {
    await using database = await createDatabase(version, 'migrated');
    await insertSession(drizzle(database.sql), versionedSession);
    const seeds = [1, 2, 3, 4];
    const outputs = await Promise.all(
      seeds.map((seed) =>
        run(process.execPath, [
          '--import',
          'tsx',
          worker,
          database.url,
          ...[orders, versions, seed].map(String),
        ]),
      ),
    );
    const counts = outputs.map(({ stdout }): { inserted: number } => JSON.parse(stdout));
    expect(counts.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(orders);
    const newest = newestOf(seeds.flatMap((seed) => deliveriesOf(orders, versions, seed)));
    const rows = await database.sql`select id, status, lastupdated::int as at from orders`;
    expect(new Map(rows.map(({ id, ...row }) => [id, row]))).toEqual(
      new Map([...newest].map(([id, { status, lastUpdated }]) => [id, { status, at: lastUpdated }])),
    );
    const [statistics] = await database.sql`
      select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()`;
    expect(statistics).toEqual({ deadlocks: 0 });
  },
);
