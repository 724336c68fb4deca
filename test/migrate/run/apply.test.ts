import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../../src/connection/connection.ts';
import { connectEmbedded } from '../../../src/connection/open.ts';
import type { ProgressEvent } from '../../../src/migrate/run/progress.ts';
import { applyMigrations, planMigrations, readStatus, rollbackMigration } from '../../../src/own/index.ts';
import { forEachTag, madeBy, migrationOf, tags } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { checksumOfOldColumns, oddities } from '../../support/oddities.ts';
import { createPglite } from '../../support/pglite.ts';
import { rollBackDownTo } from '../../support/rollback.ts';

let connection: Connection;
beforeAll(async () => {
  connection = await connectEmbedded(await createPglite('empty'));
});
afterAll(() => connection.close());

test('embedded: planned, migrated, rolled back and migrated again, in one session', async () => {
  await connection.execute(await readLegacySchema());
  await connection.execute(oddities);
  const before = await connection.query(checksumOfOldColumns);

  const plan = await planMigrations(connection);
  expect(plan.migrations.map(({ tag }) => tag)).toEqual(tags);
  expect(plan.migrations.slice(0, 3).map(({ mode }) => mode)).toEqual(['own', 'own', 'own']);
  expect(await readStatus(connection)).toMatchObject({
    migrations: forEachTag({ state: 'pending' }),
    hasOlderJournal: true,
  });

  const events: ProgressEvent[] = [];
  const report = await applyMigrations(connection, { onProgress: (event) => events.push(event) });
  expect(report.applied.map(({ tag }) => tag)).toEqual(tags);
  expect(events.filter(({ kind }) => kind === 'backfill')).not.toEqual([]);
  expect(events.filter(({ kind }) => kind === 'notice')).toEqual([]);
  // What is planned is what begins, by the same numbers: the bar goes by it.
  const planned = new Map(
    events
      .flatMap((event) => (event.kind === 'planned' ? event.files : []))
      .map((file) => [file.tag, file.statements]),
  );
  const begun = events.flatMap((event) => (event.kind === 'statement' ? [event] : []));
  expect(begun.map(({ tag, number }) => planned.get(tag)?.[number - 1])).toEqual(
    begun.map(({ statement }) => statement),
  );
  expect(begun).toHaveLength([...planned.values()].flat().length);
  expect(report.tradeWaits).toEqual({ measured: false, reason: 'an embedded database has one session' });
  expect((await applyMigrations(connection)).applied).toEqual([]);

  await connection.execute(`update sessions set pairs = '["A/B", "C/D"]' where id = 'both'`);
  await rollBackDownTo(connection, '002');
  await rollbackMigration(connection, '002');
  await rollbackMigration(connection, '001', { acceptDataLoss: true });
  expect(await connection.query(checksumOfOldColumns)).toEqual(before);
  await applyMigrations(connection);
  expect(await connection.query(checksumOfOldColumns)).toEqual(before);
  expect(await connection.query(`select pairs, pair_count from sessions where id = 'both'`)).toEqual([
    { pairs: ['A/B', 'C/D'], pair_count: 2 },
  ]);
  const status = await readStatus(connection);
  expect(status.migrations.map(({ tag, state, backlog }) => [tag, state, backlog])).toEqual(
    tags.map((tag) => [tag, 'applied', tag === '0001_multi_pair_support' ? 0 : undefined]),
  );
  const built = status.migrations[2]?.indexes ?? [];
  expect(built.map(({ name }) => name).toSorted()).toEqual(
    madeBy('002')
      .map(({ name }) => name)
      .toSorted(),
  );
  expect(built.filter(({ state }) => state !== 'valid')).toEqual([]);
});

test('what an interrupted run leaves is called half-done, and can be undone', async () => {
  await connection.execute(
    `delete from multi_pair_db.migrations where created_at > ${migrationOf('000').createdAtMs}`,
  );
  const status = await readStatus(connection);
  expect(status.migrations.slice(0, 3).map(({ state }) => state)).toEqual([
    'applied',
    'half-done',
    'half-done',
  ]);
  await rollBackDownTo(connection, '002');
  expect((await rollbackMigration(connection, '002')).undone).toBe(true);
  expect((await rollbackMigration(connection, '001', { acceptDataLoss: true })).undone).toBe(true);
  expect((await rollbackMigration(connection, '001', { acceptDataLoss: true })).undone).toBe(false);
});

test('told to stop before it began, it does nothing', async () => {
  const rows = await connection.query('select * from multi_pair_db.migrations');
  await expect(applyMigrations(connection, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'INTERRUPTED',
    exitCode: 5,
  });
  expect(await connection.query('select * from multi_pair_db.migrations')).toEqual(rows);
});
