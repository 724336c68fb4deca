import { expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { verifyDatabase } from '../../../src/own/index.ts';
import { createDatabase } from '../../support/database.ts';
import { rollBackDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

const ground = '0000_baseline';
const columns = '0001_multi_pair_support';

test.each(serverVersions)(
  'PostgreSQL %i: an older state is verified as what it is, and as nothing else',
  async (version) => {
    await using db = await createDatabase(version, 'migrated');
    await using connection = await openConnection(db.url);
    await rollBackDownTo(connection, '001');

    expect(await verifyDatabase(connection)).toMatchObject({ verified: false });
    expect(await verifyDatabase(connection, { state: [ground, columns] })).toMatchObject({
      verified: true,
      findings: [],
    });
    // One that is to be older, and has a row too many.
    expect(await verifyDatabase(connection, { state: [ground] })).toMatchObject({
      verified: false,
      findings: [{ object: `journal row of ${columns}`, found: 'recorded as applied' }],
    });
    // What belongs to the state is asked for as ever.
    await db.sql`drop index idx_orders_status`;
    expect(await verifyDatabase(connection, { state: [ground, columns] })).toMatchObject({
      verified: false,
      findings: [{ object: 'index idx_orders_status' }],
    });
  },
);

test('a live database before its first migration is nothing that could be wrong', async () => {
  await using db = await createDatabase(18, 'legacy');
  await using connection = await openConnection(db.url);
  expect(await verifyDatabase(connection, { state: [] })).toMatchObject({ verified: true, applied: [] });
});
