import type { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/connection/connection.ts';
import { connectEmbedded, runSmokeTest } from '../../src/own/index.ts';
import { createPglite } from '../support/pglite.ts';

let client: PGlite;
let connection: Connection;
beforeAll(async () => {
  client = await createPglite('migrated');
  connection = await connectEmbedded(client);
});
afterAll(() => client.close());

test('what a service relies on is there, and nothing of the test stays', async () => {
  const steps = await runSmokeTest(connection);
  expect(steps.filter(({ passed }) => !passed)).toEqual([]);
  expect(steps).toHaveLength(7);
  const { rows } = await client.query(
    'select (select count(*) from sessions) + (select count(*) from orders) + (select count(*) from fills) as count',
  );
  expect(rows).toEqual([{ count: 0 }]);
});

test.each([
  [
    'alter table sessions disable trigger all',
    'alter table sessions enable trigger all',
    'a session of two pairs is stored, and its pairs are counted',
    '0',
  ],
  [
    'alter table orders disable trigger all',
    'alter table orders enable trigger all',
    'an order gets the position of its symbol',
    '0',
  ],
  [
    'alter table fills add constraint at_least_5 check (price > 5)',
    'alter table fills drop constraint at_least_5',
    'a fill is stored',
    'violates check constraint',
  ],
  ['drop index idx_fills_unique_dedup', 'select 1', 'the same fill is refused under another id', '-again'],
])('%s: is found', async (damage, repair, what, found) => {
  await client.exec(damage);
  const steps = await runSmokeTest(connection);
  expect(steps.at(-1)).toMatchObject({ what, passed: false, found: expect.stringContaining(found) });
  expect(steps.slice(0, -1).every(({ passed }) => passed)).toBe(true);
  await client.exec(repair);
});
