import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { type CheckReport, ownProject, type PreflightOptions, runPreflight } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { tags } from '../../support/facts.ts';
import { migrate } from '../../support/migrations.ts';
import { oddities } from '../../support/oddities.ts';
import { serverVersions } from '../../support/server.ts';

async function preflight(url: string, options?: PreflightOptions) {
  await using connection = await openConnection(url);
  return await runPreflight(connection, options);
}

async function look(url: string, id: string, options?: PreflightOptions): Promise<CheckReport> {
  const { checks } = await preflight(url, options);
  const report = checks.find((check) => check.id === id);
  if (report === undefined) throw new Error(`no check ${id}`);
  return report;
}

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createDatabase(version, 'legacy');
  });
  afterAll(() => db[Symbol.asyncDispose]());

  test('a quiet live database may be migrated', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(oddities);
    const { checks, mayRun, counts, pending } = await preflight(live.url);
    for (const { why } of checks) expect(why.length).toBeGreaterThan(20);
    expect(checks.filter(({ level }) => level === 'warning' || level === 'blocker')).toEqual([]);
    expect(mayRun).toBe(true);
    expect(counts).toMatchObject({ warning: 0, blocker: 0 });
    expect(pending).toEqual(tags);
    const found = (id: string) => checks.find((check) => check.id === id)?.found;
    expect(found('backfill')).toBe('9 of 9 sessions to backfill, about 1 ms');
    expect(found('duplicate-fills')).toBe('no fill is stored twice');

    await migrate(live.url);
    expect(await preflight(live.url)).toMatchObject({
      mayRun: true,
      pending: [],
      counts: { warning: 0, blocker: 0 },
    });
    expect(await look(live.url, 'backfill')).toMatchObject({
      found: 'none of 9 sessions is left to backfill',
    });
  });

  test('a version outside of those that are tested', async () => {
    const between = (oldest: number, newest: number) =>
      look(db.url, 'server-version', { project: { ...ownProject, versions: { oldest, newest } } });
    expect(await between(version, version)).toMatchObject({ level: 'ok' });
    expect(await between(version + 1, version + 2)).toMatchObject({ level: 'blocker' });
    expect(await between(version - 2, version - 1)).toMatchObject({ level: 'warning' });
  });

  // That the checks come through also shows that none of them writes.
  test('a database whose sessions begin read-only', async () => {
    await db.sql.unsafe(`alter database ${db.name} set default_transaction_read_only = on`);
    expect(await look(db.url, 'writable')).toMatchObject({
      level: 'blocker',
      found: expect.stringContaining('default_transaction_read_only'),
    });
    await db.sql.unsafe(`set default_transaction_read_only = off;
      alter database ${db.name} reset default_transaction_read_only`);
  });

  describe('a role', () => {
    const role = `limited_${version}_${process.pid}`;
    let url: string;
    beforeEach(async () => {
      await db.sql.unsafe(`create role ${role} login`);
      url = db.url.replace('postgres@', `${role}:very-secret@`);
      return async () => {
        await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
      };
    });

    test('without privileges, which every check that needs them says', async () => {
      const { checks, mayRun } = await preflight(url);
      expect(mayRun).toBe(false);
      expect(checks.find(({ id }) => id === 'privileges')).toMatchObject({
        level: 'blocker',
        details: [
          'fills belongs to postgres',
          expect.stringMatching(/^no CREATE on database \w+, for the schema multi_pair_db$/),
          'no CREATE on schema public',
          'orders belongs to postgres',
          'sessions belongs to postgres',
        ],
        advice: expect.stringContaining(`grant postgres to ${role}`),
      });
      for (const [id, table] of [
        ['duplicate-fills', 'fills'],
        ['backfill', 'sessions'],
      ]) {
        expect(checks.find((check) => check.id === id)).toMatchObject({
          level: 'warning',
          found: `not checked: PostgreSQL said 42501: permission denied for table ${table}`,
        });
      }
      expect(checks.find(({ id }) => id === 'disk-space')).toMatchObject({ level: 'skipped' });
      expect(JSON.stringify(checks)).not.toContain('very-secret');
    });

    test('that may not write the journal', async () => {
      await using migrated = await createDatabase(version, 'migrated');
      await migrated.sql.unsafe(`grant usage on schema multi_pair_db to ${role};
        grant select on multi_pair_db.migrations to ${role}`);
      const report = await look(migrated.url.replace('postgres@', `${role}@`), 'privileges');
      expect(report.details).toEqual(
        expect.arrayContaining([
          'no INSERT on multi_pair_db.migrations',
          'no DELETE on multi_pair_db.migrations',
          'no USAGE on the sequence of multi_pair_db.migrations',
        ]),
      );
      await migrated.sql.unsafe(`drop owned by ${role}`);
    });

    test('that owns the tables may run them', async () => {
      await db.sql.unsafe(`grant create on schema public to ${role}; grant create on database ${db.name} to ${role};
        alter table sessions owner to ${role}; alter table orders owner to ${role}; alter table fills owner to ${role}`);
      expect(await look(url, 'privileges')).toMatchObject({ level: 'ok' });
      await db.sql.unsafe(`reassign owned by ${role} to postgres`);
    });

    test('from which row-level security hides rows', async () => {
      await db.sql.unsafe(
        `grant select on sessions, orders, fills to ${role}; alter table sessions enable row level security`,
      );
      const { checks } = await preflight(url);
      expect(checks.find(({ id }) => id === 'row-security')).toMatchObject({
        level: 'blocker',
        found: 'row-level security hides rows of sessions from this role',
      });
      // A count of the rows that a policy lets through would be a lie.
      expect(checks.find(({ id }) => id === 'backfill')?.found).toMatch(
        /^not checked: .* row-level security policy/,
      );
      await db.sql`alter table sessions disable row level security`;
    });

    test('with a statement timeout of one second', async () => {
      await db.sql.unsafe(`alter role ${role} set statement_timeout = '1s';
        alter role ${role} in database ${db.name} set lock_timeout = '2s'`);
      expect(await look(url, 'statement-timeout')).toMatchObject({
        level: 'warning',
        details: [
          `lock_timeout = 2000ms (set for role ${role})`,
          `statement_timeout = 1000ms (set for role ${role})`,
        ],
      });
      const fromUrl = `${db.url}?statement_timeout=1000`;
      expect((await look(fromUrl, 'statement-timeout')).details).toEqual([
        'statement_timeout = 1000ms (server configuration, PGOPTIONS or URL)',
      ]);
    });

    test('that can not see what others do is told so', async () => {
      const other = db.connect({ max: 1 });
      await other.unsafe('begin; select 1');
      expect(await look(url, 'long-transactions')).toMatchObject({
        level: 'warning',
        found: 'no transaction is open for longer than 5 s, as far as this role can see',
        details: [
          expect.stringMatching(/^not checked: \d+ sessions? of other roles; what they do is hidden/),
        ],
        advice: 'To see all: grant pg_read_all_stats to this role.',
      });
      await other.unsafe('rollback');

      await db.sql.unsafe(`grant pg_read_all_stats to ${role}`);
      expect(await look(url, 'long-transactions')).toMatchObject({ level: 'ok' });
    });

    test('that may have one connection only', async () => {
      await db.sql.unsafe(`alter role ${role} connection limit 1`);
      expect(await look(url, 'pooler')).toMatchObject({
        level: 'warning',
        found: expect.stringMatching(
          /^not checked: no second connection could be had \(.*too many connections/,
        ),
      });
    });
  });

  test('tables that are not what the migrations expect', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(`
      alter table sessions alter column budget type double precision,
        add column pairs text, add column pair_count integer generated always as (1) stored;
      alter table fills drop column tradeid, drop constraint fills_pkey;
      alter table orders rename to orders_kept; create view orders as select * from orders_kept`);
    expect(await look(live.url, 'shape')).toMatchObject({
      level: 'blocker',
      details: [
        'fills has no primary key (id)',
        'fills.tradeid (bigint) is missing',
        'orders is a view, not a table',
        'sessions.budget is double precision, not real',
        'sessions.pair_count is generated as 1, not a plain column',
        'sessions.pairs is text, not jsonb',
      ],
    });
    await expect(migrate(live.url)).rejects.toThrow();
  });

  test('tables in another schema than the one that new objects go to', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(`create schema trading; alter table fills set schema trading;
      alter database ${live.name} set search_path = public, trading`);
    expect(await look(live.url, 'shape')).toMatchObject({
      level: 'blocker',
      details: ['fills is in schema trading, but new objects would go to public'],
    });
    await expect(migrate(live.url)).rejects.toThrow();
  });

  test('sessions in which no trigger fires', async () => {
    await db.sql.unsafe(`alter database ${db.name} set session_replication_role = replica`);
    expect(await look(db.url, 'session-replication-role')).toMatchObject({ level: 'blocker' });
    await db.sql.unsafe(`alter database ${db.name} reset session_replication_role`);
    expect(await look(db.url, 'session-replication-role')).toMatchObject({ level: 'ok' });
  });

  test('an index missing on a large table is for the operator to build', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(`drop index idx_orders_side;
      alter table orders alter column purpose set storage plain;
      insert into orders (id, purpose) select n, repeat('x', 1900) from generate_series(1, 4500) as n`);
    expect(await look(live.url, 'shape')).toMatchObject({
      level: 'blocker',
      details: [
        'idx_orders_side is missing: create index concurrently idx_orders_side on orders using btree (side)',
      ],
    });
    await expect(migrate(live.url)).rejects.toThrow();
  });

  test('pairs of an older attempt that nobody could put right', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(`alter table sessions add column pairs jsonb;
      insert into sessions (id, pairs) values ('a', '"A/B"'), ('b', 'null'), ('c', '[]'), ('d', null), ('nothing said', '{}'), ('nothing either', '[""]')`);
    expect(await look(live.url, 'pairs-of-older-attempt')).toMatchObject({ level: 'ok' });
    await live.sql.unsafe(
      `insert into sessions (id, pairs) values ('e', '{"A/B": 1}'), ('f', '["A/B", 1]'), ('g', '[["A/B"]]')`,
    );
    const report = await look(live.url, 'pairs-of-older-attempt');
    expect(report).toMatchObject({
      level: 'blocker',
      found: '3 sessions with pairs that are no array of strings',
    });
    const listed = await live.sql.unsafe(/select .*/.exec(report.advice ?? '')?.[0] ?? '');
    expect(listed.map(({ id }) => id).sort()).toEqual(['e', 'f', 'g']);
    await expect(migrate(live.url)).rejects.toThrow();
  });

  test('names of indexes that belong to something else', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(`create table idx_fills_session_symbol (id int);
      create index idx_sessions_pair_count on orders (side);
      alter table fills add constraint idx_fills_unique_dedup unique (execid)`);
    const report = await look(live.url, 'index-names');
    expect(report).toMatchObject({
      level: 'blocker',
      details: [
        'idx_fills_session_symbol is no index (relkind r)',
        'idx_fills_unique_dedup is the index of the constraint idx_fills_unique_dedup of fills',
        'idx_sessions_pair_count is an index of orders',
      ],
    });
    await expect(migrate(live.url)).rejects.toThrow();
  });

  test('INVALID and foreign indexes of an older attempt, which are healed; duplicates, which are not', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(`insert into fills (id, symbol, "timestamp", price, size, amount) values
      ('a', 'A/B', 1, 1, 1, null), ('b', 'A/B', 1, 1, null, 1), ('c', 'A/B', 1, 1, 1, null),
      ('no price', 'A/B', 1, null, 1, null), ('no price either', 'A/B', 1, null, 1, null)`);
    await expect(
      live.sql.unsafe(
        'create unique index concurrently idx_fills_unique_dedup on fills (symbol, "timestamp")',
      ),
    ).rejects.toMatchObject({ code: '23505' });
    await live.sql.unsafe(`alter table sessions add column pairs jsonb default '[]'`);
    await live.sql.unsafe(
      `create index idx_sessions_pairs_gin on sessions using gin (pairs) where pairs != '[]'`,
    );
    const { checks, mayRun } = await preflight(live.url);
    expect(mayRun).toBe(false);
    expect(checks.find(({ id }) => id === 'damaged-indexes')).toMatchObject({
      level: 'warning',
      found: '2 indexes INVALID or defined otherwise',
      details: [
        'idx_fills_unique_dedup is INVALID: unique btree (symbol, "timestamp"); 0002_symbol_indexes builds it anew',
        "idx_sessions_pairs_gin is defined otherwise: gin (pairs) WHERE (pairs <> '[]'::jsonb); 0002_symbol_indexes builds it anew",
      ],
    });
    expect(checks.find(({ id }) => id === 'duplicate-fills')).toMatchObject({
      level: 'blocker',
      found: '1 fill stored more than once, 2 rows too many',
      advice: expect.stringContaining('multi-pair-db dedupe'),
    });

    await live.sql`delete from fills where id in ('b', 'c')`;
    expect(await preflight(live.url)).toMatchObject({ mayRun: true, counts: { warning: 1, blocker: 0 } });
    await migrate(live.url);
    expect(await preflight(live.url)).toMatchObject({ mayRun: true, counts: { warning: 0, blocker: 0 } });
  });

  test('triggers and rules of others that the backfill would set off', async () => {
    await db.sql.unsafe(`create function stamp() returns trigger language plpgsql as 'begin return new; end';
      create trigger stamp before update on sessions for each row execute function stamp();
      create trigger on_insert before insert on sessions for each row execute function stamp();
      create rule copy as on update to sessions do also nothing`);
    expect(await look(db.url, 'triggers-of-others')).toMatchObject({
      level: 'warning',
      details: [
        'trigger stamp runs stamp, before the row is stored: it may change the row, or leave it as it is',
        'rule copy',
      ],
    });
    await db.sql.unsafe('drop function stamp() cascade; drop rule copy on sessions');
  });

  test('too little space on the disk', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql`insert into fills (id) values ('a')`;
    // What the planner believes is what the estimate goes by: a trillion fills on the one page.
    await live.sql`update pg_class set reltuples = 1e12, relpages = 1 where oid = 'fills'::regclass`;
    expect(await look(live.url, 'disk-space')).toMatchObject({
      level: 'blocker',
      found: expect.stringMatching(/^about \d+ TB needed, \d+(\.\d)? [GMT]B free in \//),
      details: [expect.stringMatching(/^0002_symbol_indexes: about \d+ TB, and the same of WAL$/)],
    });
  });

  test('a journal that contradicts the files', async () => {
    await using migrated = await createDatabase(version, 'migrated');
    await migrated.sql`update multi_pair_db.migrations set hash = 'f00' where id = 2`;
    const { checks, mayRun } = await preflight(migrated.url);
    expect(mayRun).toBe(false);
    expect(checks.find(({ id }) => id === 'history')).toMatchObject({
      level: 'blocker',
      details: [expect.stringContaining('0001_multi_pair_support.sql is not what was applied')],
    });
    expect(checks.find(({ id }) => id === 'disk-space')).toMatchObject({
      level: 'skipped',
      found: 'not estimated: the history has to be repaired first',
    });
  });
});

test('a check that takes too long is cut short, says so, and does not stop the others', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(`alter table fills rename to tape;
    create view fills as select tape.* from tape, pg_sleep(60);
    insert into tape (id) values ('a')`);
  const { checks } = await preflight(live.url, { timeLimitMs: 1_000 });
  expect(checks.find(({ id }) => id === 'duplicate-fills')).toMatchObject({
    level: 'warning',
    found: 'not checked: it took longer than 1 s, and was cut short',
    advice: expect.stringContaining('--time-limit'),
  });
  expect(checks.find(({ id }) => id === 'backfill')).toMatchObject({ level: 'ok' });
});
