import type { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listPlanProbes } from '../../../src/cli/probes.ts';
import type { Connection } from '../../../src/connection/connection.ts';
import { connectEmbedded } from '../../../src/connection/open.ts';
import { runPreflight, verifyDatabase } from '../../../src/own/index.ts';
import { expectedObjects, tags } from '../../support/facts.ts';
import { migratePglite, readLegacySchema } from '../../support/migrations.ts';
import { createPglite } from '../../support/pglite.ts';

let client: PGlite;
let connection: Connection;
beforeAll(async () => {
  client = await createPglite('empty');
  connection = await connectEmbedded(client);
  await client.exec(await readLegacySchema());
});
afterAll(() => connection.close());

test('an embedded database: may run, is migrated, and is then verified with its plans', async () => {
  await client.exec(`insert into sessions (id, symbol) values ('a', 'BTC/USD'), ('b', null)`);
  const before = await runPreflight(connection);
  expect(before.checks.filter(({ level }) => level !== 'ok' && level !== 'skipped')).toEqual([]);
  expect(before).toMatchObject({ mayRun: true, pending: tags });
  // Each journal row and each object, and the procedures as one.
  const additions = expectedObjects.filter(({ migration }) => migration !== tags[0]);
  const missing = tags.length + additions.length + 1;
  expect((await verifyDatabase(connection)).findings).toHaveLength(missing);

  await migratePglite(client);
  expect(await runPreflight(connection)).toMatchObject({ mayRun: true, pending: [] });
  const explain = await listPlanProbes();
  expect(await verifyDatabase(connection, { explain })).toMatchObject({
    verified: true,
    findings: [],
    checkedRows: 2,
    plans: [{ usable: true }, { usable: true }],
  });

  await client.exec('drop trigger trg_sessions_sync_pairs on sessions');
  expect((await verifyDatabase(connection)).findings).toMatchObject([
    { object: 'trigger trg_sessions_sync_pairs on sessions', found: 'missing' },
  ]);
});
