import { describe, expect, test } from 'vitest';
import type { OperationError } from '../../../src/connection/errors.ts';
import { openConnection } from '../../../src/connection/open.ts';
import type { ProgressEvent } from '../../../src/migrate/run/progress.ts';
import { applyMigrations, rollbackMigration } from '../../../src/own/index.ts';
import { createDatabase } from '../../support/database.ts';
import { tagsAfter } from '../../support/facts.ts';
import { createFolder } from '../../support/folder.ts';
import { rollBackDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

const newest = 18;

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('a build names whom it waits for, and ends when the transaction ends', async () => {
    await using db = await createDatabase(version, 'migrated');
    await using connection = await openConnection(db.url);
    await rollBackDownTo(connection, '001');
    const reader = db.connect({ max: 1, connection: { application_name: 'nightly dump' } });
    await reader`begin isolation level repeatable read`;
    await reader`select count(*) from fills where symbol = 'TOP/SECRET'`;

    let named: Extract<ProgressEvent, { kind: 'waiting' }> | undefined;
    let build: ProgressEvent | undefined;
    await applyMigrations(connection, {
      onProgress: (event) => {
        if (event.kind === 'index') build = event;
        if (event.kind !== 'waiting' || named !== undefined) return;
        named = event;
        void reader`commit`.execute();
      },
    });
    expect(named?.for[0]).toMatchObject({
      application: 'nightly dump',
      state: 'idle in transaction',
      statement: 'select count(*) from fills where symbol = ?',
    });
    expect(build).toMatchObject({
      index: expect.stringMatching(/^idx_/),
      phase: expect.stringContaining('waiting for'),
    });
  });

  test('a reader that holds a table keeps no other reader waiting while 001 waits for it', async () => {
    await using db = await createDatabase(version, 'legacy');
    const holder = db.connect({ max: 1, connection: { application_name: 'long report' } });
    await holder`begin`;
    await holder`select count(*) from sessions`;

    const waitedFor = new Set<string | null>();
    const stop = new AbortController();
    const events = (event: ProgressEvent): void => {
      if (event.kind === 'waiting') for (const session of event.for) waitedFor.add(session.application);
    };
    await using connection = await openConnection(db.url);
    const migration = applyMigrations(connection, { onProgress: events });
    // Each of these fails where it would wait for longer than half a second.
    const others = db.connect({ max: 1, connection: { statement_timeout: 500 } });
    const reading = (async () => {
      let reads = 0;
      for (; !stop.signal.aborted; reads++) await others`select count(*) from sessions`;
      return reads;
    })();
    for (let rounds = 0; rounds < 30 || waitedFor.size === 0; rounds++) await db.sql`select pg_sleep(0.05)`;
    await holder`commit`;
    await migration;
    stop.abort();
    expect(await reading).toBeGreaterThan(30);
    expect([...waitedFor]).toContain('long report');
  });
});

test('a build gives up when its time is over, and the next run heals what it has left', async () => {
  await using db = await createDatabase(newest, 'migrated');
  await using connection = await openConnection(db.url);
  await rollBackDownTo(connection, '001');
  const reader = db.connect({ max: 1, connection: { application_name: 'nightly dump' } });
  await reader`begin isolation level repeatable read`;
  await reader`select count(*) from fills`;

  const error: OperationError = await applyMigrations(connection, { maxWaitMs: 400 }).then(
    () => {
      throw new Error('it did not give up');
    },
    (fault: OperationError) => fault,
  );
  expect(error).toMatchObject({
    code: 'LOCKED',
    exitCode: 4,
    sqlState: '57014',
    file: 'drizzle/0002_symbol_indexes.sql',
  });
  expect(error.message).toMatch(
    /gave up after waiting .* for pid \d+ \(nightly dump, role postgres, from 127\.0\.0\.1, idle in transaction/,
  );
  expect(await db.sql`select from pg_index where not indisvalid`).toHaveLength(1);

  await reader`commit`;
  await applyMigrations(connection);
  expect(await db.sql`select from pg_index where not indisvalid`).toHaveLength(0);
});

test('a block that gives up by itself says so in the same words', async () => {
  await using db = await createDatabase(newest, 'legacy');
  const holder = db.connect({ max: 1, connection: { application_name: 'long report' } });
  await holder`begin`;
  await holder`select count(*) from sessions`;

  await using connection = await openConnection(db.url);
  const migration = applyMigrations(connection, {
    onProgress: (event) => {
      // Ours is half an hour: the block in the database is the one that gives up.
      if (event.kind === 'started' && event.tag.startsWith('0001'))
        void connection.execute("set multi_pair_db.max_wait = '500 ms'");
    },
  });
  const error: OperationError = await migration.then(
    () => {
      throw new Error('it did not give up');
    },
    (fault: OperationError) => fault,
  );
  expect(error).toMatchObject({ code: 'LOCKED', sqlState: '55P03', serverMessage: undefined });
  expect(error.message).toMatch(
    /gave up after waiting .* for pid \d+ \(long report, role postgres, from 127\.0\.0\.1, idle in transaction/,
  );
  expect(error.advice).toMatch(/^Let it end, or end it: select pg_terminate_backend\(\d+\); Then run/);
});

test('a plain file waits in short tries, all of it again each time', async () => {
  await using db = await createDatabase(newest, 'empty');
  await db.sql`create table things (id integer)`;
  await using folder = await createFolder({
    '0000_first':
      'create table others (id integer);--> statement-breakpoint\nalter table things add column name text;',
  });
  const holder = db.connect({ max: 1, connection: { application_name: 'long report' } });
  await holder`begin`;
  await holder`select count(*) from things`;

  await using connection = await openConnection(db.url);
  let waits = 0;
  const report = await applyMigrations(connection, {
    project: folder,
    onProgress: (event) => {
      if (event.kind === 'waiting' && ++waits === 2) void holder`commit`.execute();
    },
  });
  expect(report.applied[0]?.tries).toBeGreaterThan(2);
  expect(await db.sql`select name from things`).toEqual([]);
});

test('told to stop, it cancels the statement on the server and gives the lock back', async () => {
  await using db = await createDatabase(newest, 'migrated');
  await using connection = await openConnection(db.url);
  await rollBackDownTo(connection, '001');
  const reader = db.connect({ max: 1 });
  await reader`begin isolation level repeatable read`;
  await reader`select count(*) from fills`;

  const stop = new AbortController();
  const error: OperationError = await applyMigrations(connection, {
    signal: stop.signal,
    onProgress: (event) => {
      if (event.kind === 'waiting') stop.abort();
    },
  }).then(
    () => {
      throw new Error('it was not interrupted');
    },
    (fault: OperationError) => fault,
  );
  expect(error).toMatchObject({ code: 'INTERRUPTED', exitCode: 5, sqlState: '57014' });
  expect(error.message).toContain('0002_symbol_indexes was interrupted');
  expect(error.advice).toContain('the next run goes through it again and finishes it');
  expect(
    await db.sql`select from pg_locks where locktype = 'advisory' and database = (
    select oid from pg_database where datname = current_database())`,
  ).toHaveLength(0);
  expect(
    await db.sql`select from pg_stat_progress_create_index where datname = current_database()`,
  ).toHaveLength(0);
  expect(await connection.query('select 1 as alive')).toEqual([{ alive: 1 }]);
});

test('a rollback of 001 names whom it waits for, and goes on when that ends', async () => {
  await using db = await createDatabase(newest, 'migrated');
  await using connection = await openConnection(db.url);
  await rollBackDownTo(connection, '001');
  const holder = db.connect({ max: 1, connection: { application_name: 'long report' } });
  await holder`begin`;
  await holder`select count(*) from orders`;

  const waitedFor: (string | null)[] = [];
  const report = await rollbackMigration(connection, '001', {
    acceptDataLoss: true,
    onProgress: (event) => {
      if (event.kind !== 'waiting' || waitedFor.length > 0) return;
      waitedFor.push(...event.for.map((session) => session.application));
      void holder`commit`.execute();
    },
  });
  expect(report.undone).toBe(true);
  expect(waitedFor).toEqual(['long report']);
});

test('while a rollback of 002 waits for a reader, others read and write', async () => {
  await using db = await createDatabase(newest, 'migrated');
  await using connection = await openConnection(db.url);
  await rollBackDownTo(connection, '002');
  const reader = db.connect({ max: 1 });
  await reader`begin isolation level repeatable read`;
  await reader`select count(*) from fills`;
  const others = db.connect({ max: 1, connection: { statement_timeout: 500 } });

  let work: Promise<unknown> | undefined;
  await rollbackMigration(connection, '002', {
    onProgress: (event) => {
      if (event.kind !== 'waiting' || work !== undefined) return;
      work = (async () => {
        await others`insert into fills (id) values ('meanwhile')`;
        await others`update fills set symbol = 'BTC/USD' where id = 'meanwhile'`;
        await others`select count(*) from fills`;
        await reader`commit`;
      })();
    },
  });
  expect(work).toBeDefined();
  await work;
});

test('a prepared transaction, which has no process, is named as what it is', async () => {
  await using db = await createDatabase(newest, 'migrated');
  await using connection = await openConnection(db.url);
  await rollBackDownTo(connection, '001');
  const session = db.connect({ max: 1 });
  await session.unsafe(
    `begin; insert into fills (id) values ('prepared'); prepare transaction 'forgotten_${db.name}'`,
  );
  try {
    await expect(applyMigrations(connection, { maxWaitMs: 400 })).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining('pid 0 (prepared transaction, see pg_prepared_xacts)'),
    });
  } finally {
    await session.unsafe(`rollback prepared 'forgotten_${db.name}'`);
  }
  expect((await applyMigrations(connection)).applied.map(({ tag }) => tag)).toEqual(tagsAfter('001'));
});
