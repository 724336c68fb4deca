import type { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tags } from '../support/facts.ts';
import { migratePglite, readLegacySchema } from '../support/migrations.ts';
import { createPglite } from '../support/pglite.ts';

let live: PGlite;
beforeAll(async () => {
  live = await createPglite('empty');
  await live.exec(await readLegacySchema());
  await live.exec(`insert into sessions (id, symbol, tradingpair)
    values ('a', 'BTC/USD', null), ('b', null, 'ETH/USD'), ('c', null, null), ('d', '', 'KRW-LAMB')`);
});
afterAll(() => live.close());

test('migrates a live database in process, and finds nothing to do the second time', async () => {
  await migratePglite(live);
  await migratePglite(live);

  const sessions = await live.query('select id, pairs, pair_count from sessions order by id');
  expect(sessions.rows).toEqual([
    { id: 'a', pairs: ['BTC/USD'], pair_count: 1 },
    { id: 'b', pairs: ['ETH/USD'], pair_count: 1 },
    { id: 'c', pairs: [], pair_count: 0 },
    { id: 'd', pairs: ['KRW-LAMB'], pair_count: 1 },
  ]);
  const journal = await live.query('select count(*)::int as files from multi_pair_db.migrations');
  expect(journal.rows).toEqual([{ files: tags.length }]);
});
