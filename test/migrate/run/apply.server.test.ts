import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { readSettings } from '../../../src/connection/settings.ts';
import type { ProgressEvent } from '../../../src/migrate/run/progress.ts';
import { applyMigrations, readStatus, rollbackMigration, verifyDatabase } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { tags, tagsAfter, tagsUpTo } from '../../support/facts.ts';
import { migrate as migrateStock } from '../../support/migrations.ts';
import { checksumOfOldColumns, oddities } from '../../support/oddities.ts';
import { rollBackDatabaseDownTo, rollBackDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

async function apply(db: TestDatabase, upTo?: string): Promise<readonly string[]> {
  await using connection = await openConnection(db.url);
  const report = await applyMigrations(connection, upTo === undefined ? {} : { upTo });
  return report.applied.map((migration) => migration.tag);
}

async function rollBack(db: TestDatabase, name: string): Promise<boolean> {
  await using connection = await openConnection(db.url);
  return (await rollbackMigration(connection, name, { acceptDataLoss: true })).undone;
}

/** The tags that status calls applied; all others have to be pending. */
async function listApplied(db: TestDatabase): Promise<readonly string[]> {
  await using connection = await openConnection(db.url);
  const { migrations } = await readStatus(connection);
  expect(migrations.filter(({ state }) => state !== 'applied' && state !== 'pending')).toEqual([]);
  return migrations.filter(({ state }) => state === 'applied').map(({ tag }) => tag);
}

const listJournal = (db: TestDatabase) =>
  db.sql`select hash, created_at from multi_pair_db.migrations order by created_at`;

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('there and back again: the old columns stay bit for bit, the multi-pair data comes back', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    const before = await db.sql.unsafe(checksumOfOldColumns);

    expect(await apply(db)).toEqual(tags);
    await db.sql`update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 'symbol'`;
    await db.sql`update sessions set pairs = '["XRP/USD"]' where id = 'neither'`;
    await db.sql`update orders set pair_index = 1 where id = 'order'`;
    const multiPair = () =>
      db.sql`select s.id, pairs, pair_count, pair_index from sessions as s left join orders as o on o.sessionid = s.id order by s.id`;
    const pairs = await multiPair();

    for (let round = 0; round < 2; round++) {
      await rollBackDatabaseDownTo(db.url, '002');
      expect(await rollBack(db, '002')).toBe(true);
      expect(await listApplied(db)).toEqual(tagsUpTo('001'));
      expect(await apply(db)).toEqual(tagsAfter('001'));
      await rollBackDatabaseDownTo(db.url, '002');
      expect(await rollBack(db, '002')).toBe(true);
      expect(await rollBack(db, '001')).toBe(true);
      expect(await db.sql.unsafe(checksumOfOldColumns)).toEqual(before);
      expect(await apply(db)).toEqual(tagsAfter('000'));
      expect(await multiPair()).toEqual(pairs);
    }
    expect(await db.sql.unsafe(checksumOfOldColumns)).toEqual(before);
    expect(await listApplied(db)).toEqual(tags);
    await rollBackDatabaseDownTo(db.url, '002');
    expect(await rollBack(db, '002')).toBe(true);
    expect(await rollBack(db, '002')).toBe(false);
  });

  test('takes over from stock drizzle, and hands over to it', async () => {
    await using stockFirst = await createDatabase(version, 'legacy');
    await using engineFirst = await createDatabase(version, 'legacy');

    await migrateStock(stockFirst.url);
    expect(await apply(stockFirst)).toEqual([]);
    await rollBackDatabaseDownTo(stockFirst.url, '001');
    await migrateStock(stockFirst.url);
    expect(await listApplied(stockFirst)).toEqual(tags);

    expect(await apply(engineFirst, '1')).toEqual(tagsUpTo('001'));
    await migrateStock(engineFirst.url);
    expect(await apply(engineFirst)).toEqual([]);
    expect(await listJournal(engineFirst)).toEqual(await listJournal(stockFirst));
  });

  test('lifts a role’s limits for the long steps and puts them back', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(
      `alter database ${db.name} set statement_timeout = '200ms';
       alter database ${db.name} set lock_timeout = '2s';
       alter database ${db.name} set idle_in_transaction_session_timeout = '3s'`,
    );
    // Row by row it takes longer than the limit: the backfill would end half way.
    await db.sql.unsafe(`set statement_timeout = 0;
      insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 15000) as n`);

    await using connection = await openConnection(db.url);
    await connection.execute("set lock_timeout = '7s'");
    const report = await applyMigrations(connection);
    const slowest = Math.max(...report.applied.flatMap(({ steps }) => steps.map((step) => step.durationMs)));
    expect(slowest).toBeGreaterThan(200);

    const settings = await connection.query(
      `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
              current_setting('idle_in_transaction_session_timeout') as idle,
              current_setting('client_connection_check_interval') as check,
              current_setting('synchronous_commit') as commit,
              current_setting('wal_compression') as compression,
              (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`,
    );
    expect(settings).toEqual([
      { statement: '200ms', lock: '7s', idle: '3s', check: '0', commit: 'on', compression: 'off', locks: 0 },
    ]);
  });

  test('an owner of the tables who is no superuser goes there and back, with stock drizzle too', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    const role = `owner_${db.name}`;
    await db.sql.unsafe(`create role ${role} login;
      grant create on database ${db.name} to ${role}; grant create on schema public to ${role};
      alter table sessions owner to ${role}; alter table orders owner to ${role}; alter table fills owner to ${role}`);
    try {
      const url = db.url.replace('postgres@', `${role}@`);
      {
        await using connection = await openConnection(url);
        const before = await readSettings(connection);
        expect((await applyMigrations(connection)).applied.map(({ tag }) => tag)).toEqual(tags);
        expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
        expect(await readSettings(connection)).toEqual(expect.arrayContaining(before));
        await rollBackDownTo(connection, '000');
      }
      await migrateStock(url);
      await using connection = await openConnection(url);
      expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
    } finally {
      await db.sql.unsafe(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    }
  });

  test('reports what it does', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    const events: ProgressEvent[] = [];
    await using connection = await openConnection(db.url);
    const report = await applyMigrations(connection, { onProgress: (event) => events.push(event) });

    expect(events.filter((event) => event.kind === 'started').map((event) => event.tag)).toEqual(tags);
    expect(events.filter((event) => event.kind === 'finished').map((event) => event.tag)).toEqual(tags);
    const batches = events.filter((event) => event.kind === 'backfill');
    expect(batches.at(-1)).toMatchObject({ tag: '0001_multi_pair_support', done: 9, total: 9 });
    expect(report.applied.map(({ tag, tries }) => [tag, tries])).toEqual(tags.map((tag) => [tag, 1]));
    const index = report.applied[2]?.steps.find((step) =>
      step.statement.includes('idx_fills_unique_dedup on'),
    );
    expect(index?.statement).toMatch(/^create unique index concurrently/);
  });
});
