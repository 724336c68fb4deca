import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, runPreflight, verifyDatabase } from '../../../src/own/index.ts';
import { damages } from '../../support/damage.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { look } from '../../support/look.ts';
import { serverVersions } from '../../support/server.ts';

/** What is reported of a database that should be as recorded. */
async function findings(db: TestDatabase) {
  await using connection = await openConnection(db.url);
  const { checks } = await runPreflight(connection);
  return checks.filter(({ level }) => level === 'warning' || level === 'blocker');
}

/** One of each kind of what verify finds; the test of verify has them all. */
const kinds = [
  'a column dropped',
  'a column of others that must be given',
  'a constraint of others',
  'the check dropped',
  'an index dropped',
  'a unique index of others',
  'the trigger disabled',
  'the body of its function changed',
  'a wrong pair_count',
];
const faults = damages.filter(({ name }) => kinds.includes(name));

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createDatabase(version, 'migrated');
  });
  afterAll(() => db[Symbol.asyncDispose]());

  test.each(faults)('preflight sees what verify sees: $name', async ({ by, object }) => {
    await using damaged = await createDatabase(version, 'migrated');
    for (const statement of by) await damaged.sql.unsafe(statement);
    await using connection = await openConnection(damaged.url);
    const { verified } = await verifyDatabase(connection);
    expect(verified).toBe(false);
    const text = JSON.stringify(await findings(damaged));
    const name = object.split(' ').find((word) => /_|\./.test(word)) ?? object;
    expect(text).toContain(JSON.stringify(name).slice(1, -1));
  });

  test('a missing column of an applied file blocks what comes after it, and only then', async () => {
    await using half = await createDatabase(version, 'legacy');
    await using connection = await openConnection(half.url);
    await applyMigrations(connection, { upTo: '001' });
    expect(await look(half.url, 'as-recorded')).toMatchObject({ level: 'ok' });
    expect(await look(half.url, 'refuses-rows')).toMatchObject({ level: 'ok' });
    await half.sql`alter table sessions drop column pair_count cascade`;
    expect(await look(half.url, 'as-recorded')).toMatchObject({
      level: 'blocker',
      details: [
        expect.stringMatching(
          /^column sessions.pair_count: missing; alter table sessions add column pair_count/,
        ),
        expect.stringMatching(/^trigger trg_sessions_renumber_orders on sessions: missing; /),
        expect.stringMatching(/^trigger trg_sessions_sync_pairs on sessions: missing; /),
      ],
    });
  });

  test('an index of an applied file that is gone is named with the statement that builds it', async () => {
    await db.sql`drop index idx_orders_symbol_status`;
    expect(await look(db.url, 'as-recorded')).toMatchObject({
      level: 'warning',
      details: [
        'index idx_orders_symbol_status: missing; create index concurrently idx_orders_symbol_status on orders using btree (symbol, status)',
      ],
    });
    await db.sql`create index idx_orders_symbol_status on orders (symbol, status)`;
    expect(await look(db.url, 'as-recorded')).toMatchObject({ level: 'ok' });
  });
});

/** Rules of others on the live tables that rows break when 0001 updates them. */
const rules = [
  {
    name: 'a check that old rows violate',
    by: `alter table sessions add constraint "Known venue" check (exchange is not null) not valid`,
    detail: '2 rows of sessions would be refused by Known venue ((exchange IS NOT NULL)): a, b',
    repair: `update sessions set exchange = 'kraken' where id in ('a', 'b')`,
  },
  {
    name: 'a check on pairs of an older attempt',
    by: `alter table sessions add column pairs jsonb default '[]', add column pair_count integer default 0,
           add constraint few check (pair_count = 0)`,
    detail: '2 rows of sessions would be refused by few ((pair_count = 0)): a, b',
    repair: 'alter table sessions drop constraint few',
  },
  {
    name: 'a unique index on pairs of an older attempt',
    by: `alter table sessions add column pairs jsonb;
         update sessions set pairs = case id when 'a' then '[]'::jsonb else '[""]' end;
         create unique index one_each on sessions (pairs, exchange) nulls not distinct where status is null`,
    detail:
      '2 rows of sessions would be there more than once in the unique index one_each ((pairs), (exchange)): a, b',
    repair: `update sessions set exchange = 'kraken' where id = 'b'`,
  },
];

describe.each(serverVersions)('PostgreSQL %i, a row that 0001 updates breaks', (version) => {
  test.each(rules)('$name', async ({ by, detail, repair }) => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into sessions (id, symbol) values ('a', 'BTC/USD'), ('b', 'BTC/USD'), ('c', null)`;
    await db.sql`update sessions set exchange = 'kraken', status = 'done' where id = 'c'`;
    await db.sql.unsafe(by);
    const report = await look(db.url, 'constraints-of-others');
    expect(report).toMatchObject({ level: 'blocker', details: [detail] });
    const apply = async (): Promise<void> => {
      await using connection = await openConnection(db.url);
      await applyMigrations(connection);
    };
    await expect(apply()).rejects.toMatchObject({ sqlState: expect.stringMatching(/^23/) });
    await db.sql.unsafe(repair);
    expect(await look(db.url, 'constraints-of-others')).toMatchObject({ level: 'ok' });
    await apply();
  });

  test('nothing, where the rows that break it are not updated', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into sessions (id) values ('a')`;
    await db.sql`alter table sessions add constraint named check (symbol is not null) not valid`;
    expect(await look(db.url, 'constraints-of-others')).toMatchObject({ level: 'ok' });
    await using connection = await openConnection(db.url);
    await applyMigrations(connection);
  });

  test('what can’t be asked: an exclusion constraint, a check that fails', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into sessions (id, symbol) values ('a', 'BTC/USD')`;
    await db.sql.unsafe(`alter table sessions add column pairs jsonb,
        add constraint apart exclude using hash (((pairs)::text) with =);
      alter table sessions add constraint strange check (symbol::integer > 0) not valid`);
    expect(await look(db.url, 'constraints-of-others')).toMatchObject({
      level: 'warning',
      details: [
        expect.stringMatching(/^not checked: apart of sessions: EXCLUDE USING hash/),
        expect.stringMatching(/^not checked: strange of sessions: PostgreSQL said 22P02/),
      ],
    });
  });
});

test.runIf(serverVersions.includes(18))(
  'a NOT NULL that is not validated is a rule like any other',
  async () => {
    await using db = await createDatabase(18, 'legacy');
    await db.sql`insert into sessions (id, symbol) values ('a', 'BTC/USD')`;
    await db.sql`alter table sessions add constraint venue not null exchange not valid`;
    expect(await look(db.url, 'constraints-of-others')).toMatchObject({
      level: 'blocker',
      details: ['1 row of sessions would be refused by venue (exchange is not null): a'],
    });
  },
);
