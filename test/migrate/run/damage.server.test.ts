import { describe, expect, test } from 'vitest';
import { runCommand } from '../../support/command.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { oddities } from '../../support/oddities.ts';
import { serverVersions } from '../../support/server.ts';

const run = (db: TestDatabase, ...args: string[]) => runCommand([...args, '--url', db.url]);

/** What may happen to a database that is recorded as migrated, and that running the files again repairs. */
const repairable: Readonly<Record<string, string>> = {
  'an index dropped': 'drop index idx_orders_symbol_status',
  'all nine dropped, as after a restore of the tables alone': `do $$ declare name text; begin
    for name in select indexrelid::regclass::text from pg_index
      where indrelid in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass) and indexrelid::regclass::text ~ '(symbol|pair|unique|discovery)'
        and indexrelid::regclass::text not in ('idx_sessions_symbol', 'idx_orders_symbol', 'idx_fills_symbol')
    loop execute 'drop index ' || name; end loop; end $$`,
  'an index that is INVALID': `update pg_index set indisvalid = false where indexrelid = 'idx_sessions_pairs_gin'::regclass`,
  'an index built otherwise': `drop index idx_sessions_pair_count; create index idx_sessions_pair_count on sessions (pair_count, id)`,
  'the trigger disabled': 'alter table sessions disable trigger trg_sessions_sync_pairs',
  'the trigger dropped': 'drop trigger trg_orders_set_pair_index on orders',
  'the function of the trigger changed': `create or replace function multi_pair_db.sessions_sync_pairs() returns trigger language plpgsql as 'begin return new; end'`,
  'a column gone': 'alter table orders drop column pair_index cascade',
  'the default of a column gone': 'alter table sessions alter column pairs drop default',
  'the check gone': 'alter table sessions drop constraint sessions_pairs_is_array_of_strings',
  'a procedure of the frame changed': `create or replace procedure multi_pair_db.prove(file text) language plpgsql as 'begin null; end'`,
  'a procedure of the frame gone': 'drop procedure multi_pair_db.rest()',
  'the trigger of the journal gone': 'drop trigger trg_migrations_keep_journal on multi_pair_db.migrations',
  'the journal in the shape of drizzle-kit 0.31':
    'alter table multi_pair_db.migrations drop column name, drop column applied_at',
};

describe.each(serverVersions)('PostgreSQL %i: recorded as applied, and then', (version) => {
  test.each(Object.entries(repairable))(
    '%s: status sees it, migrate repairs it and proves it',
    async (_, damage) => {
      await using db = await createDatabase(version, 'migrated');
      await db.sql.unsafe(oddities);
      await db.sql.unsafe(damage);

      const status = await run(db, 'status');
      expect(status.exitCode).toBe(1);
      expect(status.text).toMatch(/contradicted +000\d_/);
      const repaired = await run(db, 'migrate');
      expect(repaired).toMatchObject({ exitCode: 0, result: { applied: [] } });
      expect(repaired.text).toMatch(
        /repaired 000\d_.*\n[\s\S]*verified: the database is what this release says\nnext: multi-pair-db verify --explain --smoke$/,
      );
      expect(await run(db, 'status')).toMatchObject({ exitCode: 0 });
      expect(await run(db, 'verify')).toMatchObject({ exitCode: 0 });
      expect(await db.sql`select from multi_pair_db.migrations`).toHaveLength(
        (await db.sql`select distinct created_at from multi_pair_db.migrations`).length,
      );
    },
  );

  test.each(
    Object.entries({
      'a column of the live schema gone': 'alter table fills drop column quantity',
      'a type changed': 'alter table sessions alter column budget type double precision',
      'an index renamed': 'alter index idx_orders_symbol_status rename to mine',
      'a unique index of others': 'create unique index mine on fills (exchangeorderid)',
      'a row behind the trigger': `alter table sessions disable trigger trg_sessions_sync_pairs;
      insert into sessions (id, pairs, pair_count) values ('behind', '["A", "B"]', 7);
      alter table sessions enable always trigger trg_sessions_sync_pairs`,
    }),
  )('%s: migrate says what it can’t repair, and exits 1', async (_, damage) => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(damage);
    const outcome = await run(db, 'migrate');
    expect(outcome.exitCode).toBe(1);
    expect(outcome.text).toContain('nothing to do');
    expect(outcome.text).toMatch(/not verified: 1 fault\n {4}\S/);
  });

  test('nothing happened: migrate has nothing to do, and proves that it is so', async () => {
    await using db = await createDatabase(version, 'migrated');
    const outcome = await run(db, 'migrate');
    expect(outcome.exitCode).toBe(0);
    expect(outcome.text).toMatch(/nothing to do: it is applied already\n {2}verified: /);
  });

  test('a migration up to 001 is proven as such', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    expect(await run(db, 'migrate', '001')).toMatchObject({ exitCode: 0 });
    expect((await run(db, 'migrate', '001')).text).toContain('verified: ');
  });

  test('a unique build that fails leaves nothing that refuses the rows of services', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(`insert into fills (id, symbol, "timestamp", price, size)
      select n::text, 'A', 1, 1, 1 from generate_series(1, 2) as n`);
    await expect(run(db, 'migrate')).rejects.toMatchObject({
      code: 'DUPLICATES',
      advice: expect.stringContaining(
        'idx_fills_unique_dedup, which the build left INVALID, is dropped again',
      ),
    });
    await db.sql.unsafe(
      `insert into fills (id, symbol, "timestamp", price, size) values ('3', 'A', 1, 1, 1)`,
    );
    expect(await db.sql`select from pg_index where not indisvalid`).toEqual([]);
  });
});
