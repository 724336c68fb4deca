import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { splitStatements } from '../../src/migrate/history/folder.ts';
import { runCommand } from '../support/command.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { migrate } from '../support/migrations.ts';
import { oddities } from '../support/oddities.ts';
import { rollBackDatabaseDownTo } from '../support/rollback.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

const readStatements = async (file: string): Promise<string[]> =>
  splitStatements(await readFile(new URL(`../../drizzle/${file}.sql`, import.meta.url), 'utf8')).map(
    ({ sql }) => sql,
  );

/** Runs a file as a runner would, and looks after each statement. */
async function runFile(session: Sql, file: string, after: (sql: string) => Promise<void> = async () => {}) {
  for (const sql of await readStatements(file)) {
    await session.unsafe(sql);
    await after(sql);
  }
}

const undo = async (db: TestDatabase, after?: (sql: string) => Promise<void>): Promise<void> => {
  await rollBackDatabaseDownTo(db.url, '002');
  const session = db.connect({ max: 1 });
  await runFile(session, 'down/0002_symbol_indexes');
  await runFile(session, 'down/0001_multi_pair_support', after);
  await session.end();
};

/** Undoes 002, and of 001 the first statements only: whoever ran them is gone then. */
async function breakOff(db: TestDatabase, statements: number): Promise<void> {
  const session = db.connect({ max: 1 });
  await runFile(session, 'down/0002_symbol_indexes');
  for (const sql of (await readStatements('down/0001_multi_pair_support')).slice(0, statements))
    await session.unsafe(sql);
  await session.end();
}

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('between two statements of a file nobody is locked out: a slow line, or a client that stops, holds up nobody', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    const session = db.connect({ max: 1 });
    const [own] = await session`select pg_backend_pid() as pid`;
    const look = async (sql: string): Promise<void> => {
      const locks = await db.sql`
        select l.mode, l.relation::regclass::text as name from pg_locks as l
        where l.pid = ${own?.['pid']} and l.locktype = 'relation' and l.granted
          and l.relation in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass)`;
      expect(locks, sql).toEqual([]);
      const [activity] = await db.sql`select state from pg_stat_activity where pid = ${own?.['pid']}`;
      const isRecording = /^(begin|call multi_pair_db\.hand_over)\b/.test(sql.trim());
      expect(activity?.['state'], sql).toBe(isRecording ? 'idle in transaction' : 'idle');
    };
    // What 0000 adds to a small table is no exception.
    await db.sql.unsafe(
      'drop index idx_fills_timestamp; alter table orders drop constraint fk_orders_sessionid',
    );
    for (const file of ['0000_baseline', '0001_multi_pair_support', '0002_symbol_indexes']) {
      await runFile(session, file, look);
      await session.unsafe('commit');
    }
    await runFile(session, 'down/0002_symbol_indexes', look);
    await runFile(session, 'down/0001_multi_pair_support', look);
  });

  test('what services write while values are put aside is what comes back', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`
      insert into sessions (id, symbol, pairs) select 's' || n, 'A', '["A", "B"]' from generate_series(1, 12) as n;
      insert into sessions (id, symbol) select 't' || n, 'A' from generate_series(1, 6) as n;
      insert into orders (id, sessionid, symbol) select 'o' || n, 's' || n, 'B' from generate_series(1, 12) as n;
      insert into orders (id, sessionid, symbol, pair_index) values ('given', 's1', 'X', 5)`);
    const writes = [
      // While changes are noted, and nothing is put aside yet.
      `update sessions set pairs = '["A", "C"]' where id = 's1'; update sessions set pairs = '["A"]' where id = 's2';
       delete from orders where sessionid = 's3'; delete from sessions where id = 's3';
       update sessions set symbol = 'Z' where id = 's4'; update sessions set id = 's5 renamed' where id = 't5';
       insert into sessions (id, symbol, pairs) values ('new 1', 'A', '["A", "B"]')`,
      // While the lock is waited for.
      `update sessions set pairs = '["A", "D"]' where id = 's6'; update sessions set pairs = '["A"]' where id = 's7';
       delete from orders where sessionid = 's8'; delete from sessions where id = 's8';
       update sessions set symbol = 'Z' where id = 's9'; update sessions set pairs = '["A", "E"]' where id = 't1';
       insert into sessions (id, symbol, pairs) values ('new 2', 'A', '["A", "B"]'), ('s8', 'A', '["A", "F"]');
       insert into orders (id, sessionid, symbol) values ('new', 'new 2', 'B'); update orders set symbol = 'A' where id = 'o10'`,
    ];
    let written = 0;
    let before: unknown;
    await undo(db, async (sql) => {
      const next =
        sql.includes('$note_changes$') || sql.includes('$put_aside$') ? writes[written] : undefined;
      if (next === undefined) return;
      written++;
      await db.sql.unsafe(next);
      before = await readAll();
    });
    expect(written).toBe(2);
    await migrate(db.url);
    expect(await readAll()).toEqual(before);

    async function readAll() {
      return db.sql`
        select id, pairs, pair_count, null::integer as pair_index from sessions
        union all select id, null, null, pair_index from orders order by id`;
    }
  });

  test('what has changed meanwhile is taken up before the lock that everybody waits for, and under it only the last of it', async () => {
    await using db = await createDatabase(version, 'migrated');
    // Tables of the undo are published, too: rows without a key could not be deleted then.
    await db.sql.unsafe('create publication everything for all tables');
    const write = (name: string) =>
      db.sql.unsafe(`
        insert into sessions (id, symbol, pairs) select '${name} ' || n, 'A', '["A", "B"]' from generate_series(1, 1200) as n;
        insert into orders (id, sessionid, symbol) select '${name} ' || n, '${name} ' || n, 'B' from generate_series(1, 300) as n`);
    const reader = await db.connect({ max: 1 }).reserve();
    let written: Promise<void> | undefined;
    const writeMore = async (): Promise<void> => {
      await until(async () => {
        const left = await db.sql`select from multi_pair_db.undo_changes limit 1`;
        return left.length === 0;
      }, 'all of it is taken up while the reader keeps the lock away');
      await write('late');
      await reader.unsafe('commit');
    };
    await undo(db, async (sql) => {
      if (!sql.includes('$put_aside$')) return;
      await write('early');
      await reader.unsafe('begin; select from sessions limit 1; select from orders limit 1');
      written = writeMore();
    });
    await written;
    const batches = await db.sql`
      select count(*)::int as rows from multi_pair_db.undo_sessions group by xmin::text`;
    expect(Math.max(...batches.map(({ rows }) => rows))).toBeLessThanOrEqual(1_000);
    await migrate(db.url);
    expect(
      await db.sql`
        select count(*) filter (where pairs = '["A", "B"]')::int as sessions, (select count(*)::int from orders where pair_index = 1) as orders
        from sessions`,
    ).toEqual([{ sessions: 2_400, orders: 600 }]);
  });

  test('what was put aside goes back in several transactions: nobody waits for all of it', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`
      insert into sessions (id, symbol, pairs) select 's' || n, 'A', '["A", "B"]' from generate_series(1, 500) as n;
      insert into orders (id, sessionid, symbol) select 'o' || n, 's' || n, 'B' from generate_series(1, 500) as n;
      insert into orders (id, sessionid, symbol, pair_index) select 'given' || n, 's' || n, 'X', 5 from generate_series(1, 500) as n`);
    await undo(db);
    await migrate(db.url);
    // A batch has 100 rows first, and at most twice those of the one before: 500 take three, however quick it goes.
    const batches = await db.sql`
      select 'sessions' as rows, count(distinct xmin::text)::int >= 3 as several, count(*)::int as given_back
      from sessions where pairs = '["A", "B"]' and pair_count = 2
      union all
      select case symbol when 'B' then 'orders' else 'given orders' end, count(distinct xmin::text)::int >= 3, count(*)::int
      from orders where pair_index = case symbol when 'B' then 1 else 5 end group by 1
      order by 1`;
    expect(batches).toEqual(
      ['given orders', 'orders', 'sessions'].map((rows) => ({ rows, several: true, given_back: 500 })),
    );
  });

  test('a role of a service, which has no rights in the schema, writes on while values are put aside', async () => {
    await using db = await createDatabase(version, 'migrated');
    const role = `service_${db.name}`;
    await db.sql.unsafe(`create role ${role} login; grant select, insert, update, delete on sessions, orders, fills to ${role};
      insert into sessions (id, symbol, pairs) values ('s', 'A', '["A", "B"]')`);
    try {
      const service = db.connect({ max: 1, username: role });
      await undo(db, async (sql) => {
        if (!sql.includes('$put_aside$')) return;
        await service`update sessions set pairs = '["A", "B", "C"]' where id = 's'`;
        await service`insert into sessions (id, symbol, pairs) values ('new', 'A', '["A", "B"]')`;
      });
      await migrate(db.url);
      expect(await db.sql`select id, pairs from sessions order by id`).toEqual([
        { id: 'new', pairs: ['A', 'B'] },
        { id: 's', pairs: ['A', 'B', 'C'] },
      ]);
    } finally {
      await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('values come back only where symbol and tradingpair are what they were', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`insert into sessions (id, symbol, tradingpair, pairs) values
      ('same', 'A', null, '["A", "B"]'), ('renamed', 'A', null, '["A", "B"]'), ('other pair', null, 'A', '["A", "B"]'),
      ('used again', 'A', null, '["A", "B"]'), ('nameless', null, null, '["A", "B"]')`);
    await undo(db);
    await db.sql.unsafe(`update sessions set symbol = 'Z' where id = 'renamed';
      update sessions set tradingpair = 'Z' where id = 'other pair';
      delete from sessions where id = 'used again'; insert into sessions (id, symbol) values ('used again', 'Z')`);
    await migrate(db.url);
    expect(await db.sql`select id, pairs from sessions order by id`).toEqual([
      { id: 'nameless', pairs: ['A', 'B'] },
      { id: 'other pair', pairs: ['Z'] },
      { id: 'renamed', pairs: ['Z'] },
      { id: 'same', pairs: ['A', 'B'] },
      { id: 'used again', pairs: ['Z'] },
    ]);
  });

  test('an undo that is broken off undoes nothing, is run again, and leaves nothing behind', async () => {
    await using db = await createDatabase(version, 'migrated');
    await rollBackDatabaseDownTo(db.url, '002');
    await db.sql.unsafe(`insert into sessions (id, symbol, pairs) values ('s', 'A', '["A", "B"]')`);
    await breakOff(db, 3);
    expect(await db.sql`select pairs from sessions`).toEqual([{ pairs: ['A', 'B'] }]);
    await db.sql.unsafe(`update sessions set pairs = '["A"]'`);

    expect(await runCommand(['rollback', '001', '--accept-data-loss', '--url', db.url])).toMatchObject({
      exitCode: 0,
      result: { undone: true, putAside: { sessions: 0, orders: 0 } },
    });
    expect(await runCommand(['migrate', '--url', db.url])).toMatchObject({ exitCode: 0 });
    expect(await db.sql`select pairs from sessions`).toEqual([{ pairs: ['A'] }]);
    expect(
      await db.sql`select tgname from pg_trigger where not tgisinternal and tgname like '%note%'`,
    ).toEqual([]);
  });

  test('after an undo that was broken off, who goes forward is rid of what it has left, and is told before', async () => {
    await using db = await createDatabase(version, 'migrated');
    await rollBackDatabaseDownTo(db.url, '002');
    await db.sql.unsafe(`insert into sessions (id, symbol, pairs) values ('s', 'A', '["A", "B"]')`);
    await breakOff(db, 4);
    await db.sql.unsafe(`update sessions set symbol = 'B'`);
    expect(await db.sql`select id from multi_pair_db.undo_changes`).toEqual([{ id: 's' }]);

    const run = (...args: string[]) => runCommand([...args, '--url', db.url]);
    expect((await run('status')).text).toContain('a rollback broke off: each write');
    // Who reads what it has left is waited for, and no writer with it.
    const reader = await db.connect({ max: 1 }).reserve();
    await reader.unsafe('begin; select from multi_pair_db.undo_changes');
    const migrating = run('migrate');
    await until(async () => {
      const [seen] = await db.sql`
        select count(*)::int as sessions from pg_locks where relation = 'multi_pair_db.undo_changes'::regclass and not granted`;
      return seen?.['sessions'] === 1;
    }, 'it waits for the reader');
    await db.sql.unsafe(
      `insert into sessions (id, symbol) values ('meanwhile', 'A'); delete from sessions where id = 'meanwhile'`,
    );
    await reader.unsafe('commit');
    expect(await migrating).toMatchObject({ exitCode: 0 });
    expect((await run('status')).text).not.toContain('broke off');
    expect((await run('verify')).text).not.toMatch(/^note/m);
    expect(await db.sql`select pairs from sessions`).toEqual([{ pairs: ['A', 'B'] }]);
    expect(
      await db.sql`
        select c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'multi_pair_db' and c.relname ~ 'draft|undo_changes' and c.relkind = 'r'`,
    ).toEqual([]);
  });

  test('what a superuser has broken off the owner of the tables ends: forward, and back', async () => {
    await using db = await createDatabase(version, 'legacy');
    const role = `owner_${db.name}`;
    await db.sql.unsafe(`create role ${role} login;
      grant create on database ${db.name} to ${role}; grant create on schema public to ${role};
      alter table sessions owner to ${role}; alter table orders owner to ${role}; alter table fills owner to ${role}`);
    const url = db.url.replace('postgres@', `${role}@`);
    try {
      for (const goOn of [['migrate'], ['rollback', '001', '--accept-data-loss']]) {
        expect(await runCommand(['migrate', '--url', db.url])).toMatchObject({ exitCode: 0 });
        await rollBackDatabaseDownTo(db.url, '002');
        await breakOff(db, 4);
        expect(await runCommand([...goOn, '--url', url]), goOn[0]).toMatchObject({ exitCode: 0 });
      }
    } finally {
      await db.sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  test('an undo that was broken off holds up no writer when it is run again, and waits for a transaction', async () => {
    await using db = await createDatabase(version, 'migrated');
    await rollBackDatabaseDownTo(db.url, '002');
    await db.sql.unsafe(`insert into sessions (id, symbol) values ('s', 'A')`);
    const session = db.connect({ max: 1 });
    await runFile(session, 'down/0002_symbol_indexes');
    const [enter = '', , noteChanges = ''] = await readStatements('down/0001_multi_pair_support');
    // What is left of it are the triggers, by which writers of the two tables write into a table of ours.
    for (const sql of [enter, noteChanges]) await session.unsafe(sql);

    const other = await db.connect({ max: 1 }).reserve();
    await other.unsafe(`begin; update sessions set status = 'open' where id = 's'`);
    const again = session.unsafe(noteChanges).execute();
    await until(async () => {
      const [seen] = await db.sql`
        select count(*)::int as sessions from pg_stat_activity
        where datname = current_database() and query like '%$note_changes$%' and wait_event = 'PgSleep'`;
      return seen?.['sessions'] === 1;
    }, 'it has tried for the locks');
    const writer = db.connect({ max: 1, connection: { lock_timeout: 5_000 } });
    await writer`insert into sessions (id, symbol) values ('new', 'A')`;
    await other.unsafe('commit');
    await again;
    expect(await db.sql`select id from multi_pair_db.undo_changes`).toEqual([]);
  });

  test('what is put aside is said before, after, by status, and when it is given back', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`insert into sessions (id, symbol, pairs) values ('s', 'A', '["A", "B"]'), ('t', 'A', '["A"]');
      insert into orders (id, sessionid, symbol) values ('o', 's', 'B')`);
    const run = (...args: string[]) => runCommand([...args, '--url', db.url]);
    await rollBackDatabaseDownTo(db.url, '001');
    const plan = await run('rollback', '001', '--dry-run');
    expect(plan.text).toContain('would be put aside: 1 row (sessions whose pairs symbol can’t give back)');
    expect(plan.text).toContain('would be put aside: 1 row (orders whose pair index is not 0)');
    expect(await db.sql`select pairs from sessions where id = 's'`).toEqual([{ pairs: ['A', 'B'] }]);
    expect((await run('rollback', '001', '--accept-data-loss')).text).toContain(
      'put aside, for migrate to give back: 1 row of orders, 1 row of sessions',
    );
    expect((await run('status')).text).toContain('put aside by a rollback, for migrate to give back');
    await run('migrate');
    expect((await run('status')).text).not.toContain('put aside');
    expect(await db.sql`select pair_index from orders`).toEqual([{ pair_index: 1 }]);
  });
});
