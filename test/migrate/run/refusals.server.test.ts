import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OperationError } from '../../../src/connection/errors.ts';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, rollbackMigration } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { migrationOf, tags, tagsAfter } from '../../support/facts.ts';
import { migrationsFolder } from '../../support/migrations.ts';
import { rollBackDatabaseDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

/** The error that a run ends in. */
async function refused(url: string, lockWaitMs = 0): Promise<OperationError> {
  await using connection = await openConnection(url);
  return await applyMigrations(connection, { lockWaitMs }).then(
    () => {
      throw new Error('it was not refused');
    },
    (error: OperationError) => error,
  );
}

async function refusedRollback(
  db: TestDatabase,
  name: string,
  acceptDataLoss = false,
): Promise<OperationError> {
  await using connection = await openConnection(db.url);
  return await rollbackMigration(connection, name, { acceptDataLoss }).then(
    () => {
      throw new Error('it was not refused');
    },
    (error: OperationError) => error,
  );
}

/** Where a file says something, as an editor counts. */
async function findLine(file: string, text: string): Promise<number> {
  const lines = (await readFile(path.join(migrationsFolder, file), 'utf8')).split('\n');
  return lines.findIndex((line) => line.startsWith(text)) + 1;
}

const listJournal = (db: TestDatabase) => db.sql`select * from multi_pair_db.migrations order by id`;

describe.each(serverVersions)('PostgreSQL %i refuses', (version) => {
  test('while another run holds the lock, and says who', async () => {
    await using db = await createDatabase(version, 'legacy');
    const other = db.connect({ max: 1, connection: { application_name: 'another run' } });
    await other`select pg_advisory_lock(hashtextextended('multi-pair-db', 0)), 'secret-value'`;

    const error = await refused(db.url, 300);
    expect(error).toMatchObject({ code: 'LOCKED', exitCode: 4 });
    expect(error.message).toMatch(
      /held by pid \d+ \(another run, role postgres, from 127\.0\.0\.1, idle for /,
    );
    expect(error.message).not.toContain('secret-value');
    expect(error.advice).toContain('--lock-wait');
    expect(await db.sql`select to_regnamespace('multi_pair_db') as journal`).toEqual([{ journal: null }]);
  });

  test('an edited file, an unknown row, a duplicate row, a gap', async () => {
    await using db = await createDatabase(version, 'migrated');
    await rollBackDatabaseDownTo(db.url, '002');
    const rows = await listJournal(db);
    const refusals: Record<string, string> = {
      [`update multi_pair_db.migrations set hash = 'edited' where created_at = ${migrationOf('001').createdAtMs}`]:
        '0001_multi_pair_support.sql is not what was applied',
      [`insert into multi_pair_db.migrations (hash, created_at, name) values ('x', 1, 'x')`]:
        'belongs to no file of this folder',
      // The journal refuses a second row, unless its trigger is off.
      [`alter table multi_pair_db.migrations disable trigger user;
        insert into multi_pair_db.migrations (hash, created_at) select hash, created_at from multi_pair_db.migrations where created_at = ${migrationOf('002').createdAtMs}`]:
        'records the same migration more than once',
      [`delete from multi_pair_db.migrations where created_at = ${migrationOf('001').createdAtMs}`]:
        '0001_multi_pair_support is not recorded as applied, but 0002',
    };
    for (const [damage, message] of Object.entries(refusals)) {
      await db.sql.unsafe(damage);
      const error = await refused(db.url);
      expect(error).toMatchObject({ code: 'HISTORY', exitCode: 4 });
      expect(error.message).toContain(message);
      expect(error.advice).not.toBe('');
      expect(await refusedRollback(db, '002')).toMatchObject({ code: 'HISTORY' });
      await db.sql`delete from multi_pair_db.migrations`;
      for (const row of rows) await db.sql`insert into multi_pair_db.migrations ${db.sql(row)}`;
    }
  });

  test('to lose data unasked, to undo out of order, and to undo what has no undo', async () => {
    await using db = await createDatabase(version, 'migrated');
    expect(await refusedRollback(db, '001')).toMatchObject({ code: 'DATA_LOSS', exitCode: 4 });
    const outOfOrder = await refusedRollback(db, '001', true);
    expect(outOfOrder).toMatchObject({ code: 'ORDER', exitCode: 4 });
    expect(outOfOrder.advice).toBe(`Roll back ${tagsAfter('001').toReversed().join(', then ')} first.`);
    expect(await refusedRollback(db, '0')).toMatchObject({ code: 'REFUSED', exitCode: 4 });
    expect(await refusedRollback(db, 'nonsense')).toMatchObject({ code: 'USAGE', exitCode: 2 });
    expect(await listJournal(db)).toHaveLength(tags.length);
  });

  test('a role that lacks privileges, with what PostgreSQL said', async () => {
    await using db = await createDatabase(version, 'legacy');
    const role = `guest_${db.name}`;
    await db.sql.unsafe(`create role ${role} login`);
    try {
      const error = await refused(db.url.replace('postgres@', `${role}@`));
      expect(error).toMatchObject({ code: 'PRIVILEGE_MISSING', exitCode: 3, sqlState: '42501' });
      expect(error.serverMessage).toContain('permission denied');
    } finally {
      await db.sql.unsafe(`drop role ${role}`);
    }
  });

  test('a read-only database', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(`alter database ${db.name} set default_transaction_read_only = on`);
    expect(await refused(db.url)).toMatchObject({ code: 'READ_ONLY', exitCode: 4, sqlState: '25006' });
  });

  test('duplicate fills, without quoting them', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into fills (id, symbol, "timestamp", price, size)
      select n::text, 'SECRET/PAIR', 1700000000123, 4242, 1 from generate_series(1, 2) as n`;
    const error = await refused(db.url);
    expect(error).toMatchObject({
      code: 'DUPLICATES',
      exitCode: 5,
      sqlState: '23505',
      file: 'drizzle/0002_symbol_indexes.sql',
      line: await findLine('0002_symbol_indexes.sql', 'create unique index concurrently'),
    });
    expect(error.statement).toMatch(/^create unique index concurrently/);
    expect(error.serverMessage).toContain('could not create unique index "idx_fills_unique_dedup"');
    expect(error.advice).toContain('multi-pair-db duplicates');
    expect(error.advice).toContain('Applied in this run: 0000_baseline, 0001_multi_pair_support');
    expect(JSON.stringify(error)).not.toMatch(/SECRET|4242|1700000000123/);

    await db.sql`delete from fills where id = '2'`;
    await using connection = await openConnection(db.url);
    const report = await applyMigrations(connection);
    expect(report.applied.map((migration) => migration.tag)).toEqual(tagsAfter('001'));
  });

  test('a column of another type, and the database stays as it was', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`alter table sessions add column pair_count text`;
    const error = await refused(db.url);
    expect(error).toMatchObject({
      code: 'STATEMENT_FAILED',
      exitCode: 5,
      sqlState: '42804',
      file: 'drizzle/0001_multi_pair_support.sql',
    });
    expect(error.message).toContain('sessions.pair_count is text, not integer');
    expect(error.advice).toContain('Give the column the expected type');
  });

  test('a build that is alive in another session', async () => {
    await using db = await createDatabase(version, 'legacy');
    await using connection = await openConnection(db.url);
    await applyMigrations(connection, { upTo: '001' });
    const reader = db.connect({ max: 1 });
    await reader`begin isolation level repeatable read`;
    await reader`select count(*) from fills`;
    const builder = db.connect({ max: 1 });
    // The build waits for the reader's snapshot for as long as the reader likes.
    const build = builder.unsafe(
      'create index concurrently idx_fills_session_symbol on fills (sessionid, symbol)',
    );
    build.catch(() => {});
    build.execute();
    for (let seen = 0; seen === 0; ) {
      seen = (
        await db.sql`select from pg_stat_progress_create_index
      where datname = current_database() and phase like 'waiting%'`
      ).length;
    }
    const error = await refused(db.url);
    expect(error).toMatchObject({ code: 'LOCKED', exitCode: 4, sqlState: '55006' });
    expect(error.message).toContain('the index idx_fills_session_symbol is being built right now, by pid ');
    await reader`commit`;
    await build;
    await expect(applyMigrations(connection)).resolves.toMatchObject({
      applied: tagsAfter('001').map((tag) => ({ tag })),
    });
  });
});
