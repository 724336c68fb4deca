import { expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { dedupeFills } from '../../../src/ops/duplicates/dedupe.ts';
import { runCli } from '../../support/cli.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { serverVersions } from '../../support/server.ts';

/** One execution, stored as `a` and `b`, and one that is stored once. */
const storeCopies = (db: TestDatabase) =>
  db.sql.unsafe(`
    insert into fills (id, symbol, side, timestamp, price, size, tradeid)
    values ('a', 'BTC/USD', 'buy', 1, 1, 1, 7), ('b', 'BTC/USD', 'BUY', 1, 1, 1, 7), ('c', 'BTC/USD', 'sell', 1, 1, 1, 7)`);

async function refusalOf(db: TestDatabase): Promise<{ message: string; advice: string }> {
  const { exitCode, stdout } = await runCli(['dedupe', '--json', '--url', db.url]);
  const { error } = JSON.parse(stdout);
  expect({ exitCode, code: error?.code }).toEqual({ exitCode: 4, code: 'REFUSED' });
  const dry = await runCli(['dedupe', '--dry-run', '--url', db.url]);
  expect(dry.exitCode).toBe(4);
  return error;
}

async function expectUntouched(db: TestDatabase): Promise<void> {
  const [fills] = await db.sql`
    select array_agg(id order by id) as ids, to_regclass('multi_pair_db.archived_fills') as archive from fills`;
  expect(fills).toEqual({ ids: ['a', 'b', 'c'], archive: null });
}

const foreignKeys: readonly (readonly [string, string])[] = [
  ['on delete cascade', ''],
  ['on delete set null', ''],
  ['on delete set default', ''],
  ['on delete restrict', ''],
  ['on update cascade', ''],
  ['deferrable initially deferred', ''],
  ['on delete cascade', 'partition by list (fill_id)'],
];

test.each(serverVersions)(
  'PostgreSQL %i: refuses where rows of another table hang on fills, whatever their foreign key does',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    await storeCopies(db);
    await db.sql.unsafe('create schema audit');
    for (const [action, partitions] of foreignKeys) {
      await db.sql.unsafe(`
        create table audit."Fees" (fill_id text constraint of_fill references fills (id) ${action}) ${partitions};
        ${partitions === '' ? '' : 'create table audit.fees_all partition of audit."Fees" default;'}
        insert into audit."Fees" values ('a'), ('b')`);
      const { message, advice } = await refusalOf(db);
      // Once, also where each partition has a copy of it.
      expect(message.match(/foreign key/g)).toHaveLength(1);
      expect(message).toContain(
        'foreign key of_fill of audit."Fees" (FOREIGN KEY (fill_id) REFERENCES fills(id)',
      );
      expect(advice).toContain('alter table audit."Fees" drop constraint of_fill;');
      await expectUntouched(db);
      const [fees] = await db.sql`select array_agg(fill_id order by fill_id) as ids from audit."Fees"`;
      expect(fees).toEqual({ ids: ['a', 'b'] });
      await db.sql.unsafe('drop table audit."Fees"');
    }
    expect(await runCli(['dedupe', '--url', db.url])).toMatchObject({ exitCode: 0 });
  },
);

/** What others may have made, and how the refusal names it. */
const reactions: readonly (readonly [string, string])[] = [
  ['create trigger other before delete on fills for each row execute function swallow()', 'trigger other'],
  ['create trigger other after delete on fills for each row execute function put_back()', 'trigger other'],
  [
    'create constraint trigger other after delete on fills deferrable initially deferred for each row execute function put_back()',
    'trigger other',
  ],
  [
    'create trigger other after delete on fills referencing old table as gone for each statement execute function swallow()',
    'trigger other',
  ],
  [
    `create trigger other before delete on fills for each row execute function swallow();
     alter table fills enable always trigger other`,
    'trigger other',
  ],
  ['create rule other as on delete to fills do instead nothing', 'rule other'],
  ['create rule other as on delete to fills do also delete from orders', 'rule other'],
];

test.each(serverVersions)(
  'PostgreSQL %i: refuses where triggers or rules of others react to a row that leaves fills',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    await storeCopies(db);
    await db.sql.unsafe(`
      create function swallow() returns trigger language plpgsql as 'begin return null; end';
      create function put_back() returns trigger language plpgsql as 'begin insert into fills select old.*; return null; end'`);
    for (const [statement, named] of reactions) {
      await db.sql.unsafe(statement);
      const { message, advice } = await refusalOf(db);
      expect(message).toContain(`${named} of fills on DELETE`);
      expect(advice).toContain(`alter table fills disable ${named};`);
      await expectUntouched(db);
      await db.sql.unsafe(`drop ${named} on fills`);
    }
    // What does not fire is in nobody's way, and what fires once a batch is told: a trigger and a publication.
    await db.sql.unsafe(`
      create trigger never before delete on fills for each row execute function swallow();
      alter table fills disable trigger never;
      create trigger each_batch after delete on fills for each statement execute function swallow();
      create trigger other_event before update on fills for each row execute function swallow();
      create publication copies for table fills;
      create publication inserts for all tables with (publish = 'insert')`);
    const done = await runCli(['dedupe', '--json', '--url', db.url]);
    expect(JSON.parse(done.stdout)).toMatchObject({
      exitCode: 0,
      result: {
        movedRows: 1,
        warnings: [
          'publication copies sends each row that leaves fills to its subscribers, which delete it and have no archive',
          'trigger each_batch of fills on DELETE fires once for each batch of rows that is moved',
        ],
      },
    });
  },
);

test.each(serverVersions)(
  'PostgreSQL %i: notices a foreign key that is made while it works',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    const copies = 3_000;
    await db.sql`
      insert into fills (id, symbol, timestamp, price, size, tradeid)
      select n::text, 'BTC/USD', 1, 1, 1, 7 from generate_series(1, ${copies}::int) as n`;
    await using connection = await openConnection(db.url);
    let making: Promise<unknown> | undefined;
    const onProgress = () => {
      making ??= db.sql
        .unsafe('create table fees (fill_id text references fills (id) on delete cascade)')
        .then(() => db.sql`insert into fees select id from fills`);
    };
    await expect(dedupeFills(connection, { batchRows: 1, onProgress })).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('foreign key fees_fill_id_fkey of fees'),
    });
    await making;
    const [counts] = await db.sql`
      select (select count(*) from fills)::int + (select count(*) from multi_pair_db.archived_fills)::int as rows,
             (select count(*) from fees) = (select count(*) from fills) as all_fees`;
    expect(counts).toEqual({ rows: copies, all_fees: true });
  },
);

test('a trigger on the archive that swallows rows undoes the batch', async () => {
  await using db = await createDatabase(15, 'legacy');
  await storeCopies(db);
  await db.sql`insert into fills select 'd', orderid, sessionid, clientorderid, symbol from fills where id = 'a'`;
  await runCli(['dedupe', '--url', db.url]);
  await db.sql.unsafe(`
    update fills set timestamp = 1, price = 1, size = 1, tradeid = 7, side = 'buy' where id = 'd';
    create function swallow() returns trigger language plpgsql as 'begin return null; end';
    create trigger swallow before insert on multi_pair_db.archived_fills for each row execute function swallow()`);
  const { stderr, exitCode } = await runCli(['dedupe', '--url', db.url]);
  expect(exitCode).toBe(4);
  expect(stderr).toContain('of 1 rows that left fills, 0 arrived in multi_pair_db.archived_fills');
  const [fills] = await db.sql`select array_agg(id order by id) as ids from fills`;
  expect(fills).toEqual({ ids: ['a', 'c', 'd'] });
});

test('refuses where row-level security may hide rows', async () => {
  await using db = await createDatabase(18, 'legacy');
  await storeCopies(db);
  const role = `clerk_${db.name}`;
  await db.sql.unsafe(`
    create role ${role} login;
    grant all on all tables in schema public to ${role};
    grant create on database ${db.name} to ${role};
    alter table fills enable row level security;
    create policy own_rows on fills to ${role} using (id <> 'b')`);
  const asClerk = db.url.replace('postgres@', `${role}@`);
  for (const command of [['dedupe'], ['dedupe', '--dry-run'], ['duplicates']]) {
    const { exitCode, stderr } = await runCli([...command, '--url', asClerk]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('row-level security may hide rows of fills from this role');
  }
  await expectUntouched(db);
  // The server's own role sees all of them.
  expect(await runCli(['dedupe', '--url', db.url])).toMatchObject({ exitCode: 0 });
  await db.sql.unsafe(`
    grant usage on schema multi_pair_db to ${role};
    grant all on multi_pair_db.archived_fills to ${role}`);
  expect(await runCli(['dedupe', '--undo', '--url', asClerk])).toMatchObject({ exitCode: 4 });
  await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
});

test.each(serverVersions)('PostgreSQL %i: refuses fills with child tables', async (version) => {
  await using db = await createDatabase(version, 'legacy');
  await storeCopies(db);
  await db.sql.unsafe(
    `create table fills_2024 () inherits (fills); insert into fills_2024 (id) values ('a')`,
  );
  expect((await refusalOf(db)).message).toContain('fills has child tables');
});
