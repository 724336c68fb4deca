import { describe, expect, test } from 'vitest';
import type { OperationError } from '../../../src/connection/errors.ts';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { look } from '../../support/look.ts';
import { rollBackDatabaseDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

async function apply(db: TestDatabase): Promise<OperationError | undefined> {
  await using connection = await openConnection(db.url);
  return await applyMigrations(connection).then(
    () => undefined,
    (error: OperationError) => error,
  );
}

/** A live database with one session, and what somebody has put in the way. */
async function createLive(version: (typeof serverVersions)[number], obstacle: string): Promise<TestDatabase> {
  const db = await createDatabase(version, 'legacy');
  await db.sql.unsafe(`insert into sessions (id, symbol) values ('a', 'BTC/USD'), ('b', 'ETH/USD')`);
  await db.sql.unsafe(obstacle);
  return db;
}

const isUntouched = async (db: TestDatabase): Promise<boolean> =>
  (await db.sql`select from pg_attribute where attrelid = 'sessions'::regclass and attname = 'pairs'`)
    .length === 0;

const trigger = (name: string, body: string): string => `
  create function ${name}() returns trigger language plpgsql as 'begin ${body} end';
  create trigger ${name} before update on sessions for each row execute function ${name}()`;

/** What takes the update of a row away, and what preflight says of it. */
const swallowing = [
  {
    name: 'a trigger that returns null',
    obstacle: trigger('veto', 'return null;'),
    level: 'warning',
    detail: 'trigger veto runs veto, whose source returns null or the old row: such a row stays as it is',
  },
  {
    name: 'a trigger that takes pairs back',
    obstacle: trigger('zz_keep', 'new := old; return new;'),
    level: 'warning',
    detail:
      'trigger zz_keep runs zz_keep, before the row is stored: it may change the row, or leave it as it is',
  },
  {
    name: 'suppress_redundant_updates_trigger, before ours',
    // Only over rows that hold an empty pairs: a new column makes every row another one.
    obstacle: `alter table sessions add column pairs jsonb default '[]', add column pair_count integer default 0;
      update sessions set pairs = '[]', pair_count = 0;
      create trigger quiet before update on sessions for each row execute function suppress_redundant_updates_trigger()`,
    level: 'warning',
    detail:
      'trigger quiet runs suppress_redundant_updates_trigger, before the trigger that fills pairs: where pairs are there and empty, it takes the backfill for an update that changes nothing',
  },
];

/** What 0001 refuses before it changes anything. */
const refused = [
  {
    name: 'a rule instead of updates',
    obstacle: 'create rule frozen as on update to sessions do instead nothing',
    check: 'triggers-of-others',
    detail: 'rule frozen, which does something else instead of the update',
    message: 'rule frozen on updates of sessions',
    wayOut: 'alter table sessions disable rule frozen',
  },
  {
    name: 'a rule beside updates',
    obstacle: `create table audit (id text); create rule "Audit" as on update to sessions do also insert into audit values (old.id)`,
    check: 'triggers-of-others',
    detail: 'rule "Audit", which does something else beside the update',
    message: 'rule "Audit" on updates of sessions',
    wayOut: 'alter table sessions disable rule "Audit"',
  },
  {
    name: 'a rule instead of updates of orders',
    obstacle: 'create rule frozen as on update to orders do instead nothing',
    check: 'triggers-of-others',
    detail: 'rule frozen on orders, which does something else instead of the update',
    message: 'rule frozen on updates of orders',
    wayOut: 'alter table orders disable rule frozen',
  },
  {
    name: 'a child table',
    obstacle: 'create table "Archive" () inherits (sessions)',
    check: 'child-tables',
    detail: '"Archive" is a child table or partition of sessions',
    message: '"Archive" is a child table of sessions',
    wayOut: 'alter table "Archive" no inherit sessions',
  },
];

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test.each(swallowing)(
    'an update that changes nothing is told at once, as what it is: $name',
    async (one) => {
      await using db = await createLive(version, one.obstacle);
      const report = await look(db.url, 'triggers-of-others');
      expect(report).toMatchObject({ level: one.level, details: [one.detail] });

      const error = await apply(db);
      expect(error?.message).toContain('the update of 2 sessions changes nothing');
      expect(error).toMatchObject({ sqlState: '09000' });
      expect(JSON.stringify(error)).toContain('alter table sessions disable trigger');
      expect(JSON.stringify(error)).toMatch(/Triggers of others before an update: \w+ runs \w+/);

      await db.sql.unsafe('alter table sessions disable trigger user');
      await db.sql.unsafe('alter table sessions enable always trigger trg_sessions_sync_pairs');
      expect(await apply(db)).toBeUndefined();
      expect(await db.sql`select pairs, pair_count from sessions order by id`).toEqual([
        { pairs: ['BTC/USD'], pair_count: 1 },
        { pairs: ['ETH/USD'], pair_count: 1 },
      ]);
    },
  );

  test.each(refused)('refused before anything is changed: $name', async (one) => {
    await using db = await createLive(version, one.obstacle);
    expect(await look(db.url, one.check)).toMatchObject({ level: 'blocker', details: [one.detail] });
    const error = await apply(db);
    expect(error?.message).toContain(one.message);
    expect(error).toMatchObject({ sqlState: '55000' });
    expect(await isUntouched(db)).toBe(true);

    await db.sql.unsafe(one.wayOut);
    expect((await look(db.url, one.check)).level).not.toBe('blocker');
    expect(await apply(db)).toBeUndefined();
  });

  test('a rule that does nothing more, and triggers on other columns, are in nobody’s way', async () => {
    await using db = await createLive(
      version,
      `create rule copy as on update to sessions do also nothing;
       create function veto() returns trigger language plpgsql as 'begin return null; end';
       create trigger veto before update of status on sessions for each row execute function veto();
       create trigger off before update on sessions for each row execute function veto();
       alter table sessions disable trigger off;
       create trigger replica before update on sessions for each row execute function veto();
       alter table sessions enable replica trigger replica`,
    );
    expect(await look(db.url, 'triggers-of-others')).toMatchObject({
      level: 'warning',
      details: ['rule copy'],
    });
    expect(await apply(db)).toBeUndefined();
  });

  test('a table that is a partition of another', async () => {
    await using db = await createLive(
      version,
      'create table every_fill (like fills) partition by list (symbol)',
    );
    await db.sql.unsafe('alter table every_fill attach partition fills default');
    expect(await look(db.url, 'child-tables')).toMatchObject({
      level: 'warning',
      details: ['fills is a child table or partition of every_fill'],
    });
    await db.sql.unsafe('create table every_order (like orders) partition by list (symbol)');
    await db.sql.unsafe('alter table every_order attach partition orders default');
    expect(await look(db.url, 'child-tables')).toMatchObject({ level: 'blocker' });
    expect((await apply(db))?.message).toMatch(/partition/);
  });

  test('what a rollback has put aside is kept where a trigger takes its return away', async () => {
    await using db = await createLive(version, 'select 1');
    expect(await apply(db)).toBeUndefined();
    await db.sql`update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 'a'`;
    await db.sql`insert into orders (id, sessionid, symbol) values ('o', 'a', 'ETH/USD')`;
    await rollBackDatabaseDownTo(db.url, '0');
    await db.sql.unsafe(trigger('veto', 'return null;').replace('on sessions', 'on orders'));
    const error = await apply(db);
    expect(error?.message).toContain('the update of 1 rows of orders changes nothing');
    expect(await db.sql`select id, pair_index from multi_pair_db.undo_orders`).toEqual([
      { id: 'o', pair_index: 1 },
    ]);
    await db.sql`drop trigger veto on orders`;
    expect(await apply(db)).toBeUndefined();
    expect(await db.sql`select pair_index from orders`).toEqual([{ pair_index: 1 }]);
  });
});
