import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, planMigrations } from '../../../src/own/index.ts';
import { look } from '../../support/look.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { rollBackDatabaseDownTo } from '../../support/rollback.ts';
import { serverVersions, startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

/** Logical replication and preloaded libraries belong to a whole server: this one is of these tests alone. */
describe.each(serverVersions)('PostgreSQL %i, the neighbours', (version) => {
  let server: TestServer;
  let url: string;
  let sql: Sql;
  beforeAll(async () => {
    server = await startServer(version, {
      shared_preload_libraries: 'pg_stat_statements',
      wal_level: 'logical',
    });
    url = server.url('postgres');
    sql = postgres(url, { max: 1, onnotice: () => {} });
    await sql.unsafe(await readLegacySchema());
  });
  afterAll(async () => {
    await sql.end();
    await server.destroy();
  });

  test('nobody remembers what services say: that is said, and is no fault', async () => {
    for (const id of ['select-star', 'ddl-of-services', 'fills-on-conflict']) {
      expect(await look(url, id)).toMatchObject({
        level: 'skipped',
        found:
          'not checked beyond what sessions run right now: pg_stat_statements is not installed in this database',
      });
    }
    const service = postgres(url, { max: 1 });
    await service`select * from sessions where id = ${'a'}`;
    const report = await look(url, 'select-star');
    expect(report).toMatchObject({
      level: 'warning',
      found: '1 statement with * on these tables, as far as sessions show what they run',
      details: ['in a session now: select * from sessions where id = $1'],
    });
    expect(report.advice).toContain('pg_prepared_statements');
    await service.end();
  });

  test('services that run DDL at their start', async () => {
    await sql`create extension pg_stat_statements`;
    await sql`select pg_stat_statements_reset()`;
    for (const statement of [
      'create index if not exists idx_orders_side on orders (side)',
      'CREATE TABLE IF NOT EXISTS public.fills (id text)',
      'alter table sessions add column if not exists exchange text',
      'create index if not exists elsewhere on pg_temp.others (id)',
      'create table if not exists orders_of_others (id text)',
    ])
      await sql.unsafe(statement).catch(() => {});
    const report = await look(url, 'ddl-of-services');
    expect(report).toMatchObject({
      level: 'warning',
      found: '3 statements of DDL on these tables, as far as pg_stat_statements remembers',
      advice: expect.stringContaining('Do not start or restart'),
    });
    expect([...(report.details ?? [])].sort()).toEqual([
      '1 call: CREATE TABLE IF NOT EXISTS public.fills (id text)',
      '1 call: alter table sessions add column if not exists exchange text',
      '1 call: create index if not exists idx_orders_side on orders (side)',
    ]);
    await sql`select pg_stat_statements_reset()`;
    expect(await look(url, 'ddl-of-services')).toMatchObject({ level: 'ok' });
  });

  test('services that write fills with ON CONFLICT (id) alone', async () => {
    await sql`insert into fills (id) values ('a') on conflict do nothing`;
    expect(await look(url, 'fills-on-conflict')).toMatchObject({ level: 'ok' });
    await sql`insert into fills (id, price) values ('a', 1) on conflict (id) do update set price = excluded.price`;
    await sql`insert into orders (id) values ('a') on conflict (id) do nothing`;
    expect(await look(url, 'fills-on-conflict')).toMatchObject({
      level: 'warning',
      details: [
        '1 call: insert into fills (id, price) values ($1, $2) on conflict (id) do update set price = excluded.price',
      ],
      advice: expect.stringContaining('insertFills'),
    });
    await sql`delete from fills`;
    await sql`delete from orders`;
  });

  test('fills without an order or the venue’s id', async () => {
    expect(await look(url, 'fills-without-identity')).toMatchObject({ level: 'ok' });
    await sql`insert into fills (id, "timestamp", execid) select n, n, 'x' || n from generate_series(1, 20000) as n`;
    // Old ones do not count, nor one in ten thousand.
    await sql`update fills set execid = null where "timestamp" <= 5000 or id = '20000'`;
    expect(await look(url, 'fills-without-identity')).toMatchObject({
      level: 'ok',
      found: '1 of the latest 10,000 fills has neither orderid nor execid nor tradeid',
    });
    await sql`update fills set execid = null where "timestamp" > 19000`;
    expect(await look(url, 'fills-without-identity')).toMatchObject({
      level: 'warning',
      found: '1,000 of the latest 10,000 fills have neither orderid nor execid nor tradeid',
    });
    await sql`delete from fills`;
  });

  test('event triggers: what refuses is a warning, what only writes down is named', async () => {
    await sql.unsafe(`create function note_ddl() returns event_trigger language plpgsql as 'begin perform 1; end';
      create event trigger note on ddl_command_end execute function note_ddl();
      create event trigger other on ddl_command_start when tag in ('CREATE POLICY') execute function note_ddl()`);
    expect(await look(url, 'event-triggers')).toMatchObject({
      level: 'ok',
      found: '1 event trigger: event trigger note (ddl_command_end) runs note_ddl',
    });
    await sql.unsafe(`create function no_ddl() returns event_trigger language plpgsql as
        $$ begin if tg_tag = 'ALTER TABLE' then raise exception 'not without a ticket'; end if; end $$;
      create event trigger guard on ddl_command_start when tag in ('ALTER TABLE', 'DROP TABLE') execute function no_ddl()`);
    expect(await look(url, 'event-triggers')).toMatchObject({
      level: 'warning',
      details: [
        'event trigger guard (ddl_command_start: ALTER TABLE, DROP TABLE) runs no_ddl',
        'event trigger note (ddl_command_end) runs note_ddl',
      ],
    });
    await sql`drop event trigger guard`;
    await sql`drop event trigger note`;
    await sql`drop event trigger other`;
  });

  test('a publication that lists columns, and the subscription that it feeds', async () => {
    await sql`create publication listed for table orders, fills (id, symbol, price)`;
    expect((await look(url, 'replication')).details).toEqual([
      'publication listed sends fills, orders to logical subscribers; of fills only the columns that it lists: add the new ones, or subscribers never get them',
    ]);

    await sql`create database copy`;
    const copy = postgres(server.url('copy'), { max: 1, onnotice: () => {} });
    await copy.unsafe(await readLegacySchema());
    await sql`select pg_create_logical_replication_slot('listed', 'pgoutput')`;
    await copy.unsafe(`create subscription listed connection 'host=127.0.0.1 port=${server.port} user=postgres dbname=postgres'
      publication listed with (create_slot = false, slot_name = 'listed', copy_data = false)`);
    await copy.unsafe(`create function stamp() returns trigger language plpgsql as 'begin return new; end';
      create trigger stamp before insert on fills for each row execute function stamp()`);
    expect(await look(server.url('copy'), 'subscriptions')).toMatchObject({
      level: 'warning',
      found: '1 subscription writing these tables',
      details: [
        'subscription listed writes fills, orders',
        'trigger stamp on fills does not fire for rows of a subscription',
      ],
      advice: expect.stringContaining('before its publisher'),
    });
    // A subscriber that streams rows is no hot standby.
    expect(await look(url, 'standbys')).toMatchObject({ level: 'ok' });
    await copy.unsafe('alter subscription listed disable');
    await copy.unsafe('alter subscription listed set (slot_name = none)');
    expect((await look(server.url('copy'), 'subscriptions')).details?.[0]).toContain('it is disabled');
    await copy`drop subscription listed`;
    await copy.end();
    await sql`drop publication listed`;
  });

  test.each([
    ['for all tables', 'stops'],
    ['for tables in schema public', 'goes on'],
  ])('what is published %s, and is rolled back: its subscriber %s', async (what, then) => {
    const name = what.replaceAll(' ', '_');
    for (const side of ['source', 'target']) {
      await sql.unsafe(`create database ${name}_${side}`);
      await using connection = await openConnection(server.url(`${name}_${side}`));
      await applyMigrations(connection, { baselineMs: 0 });
    }
    const source = postgres(server.url(`${name}_source`), { max: 1, onnotice: () => {} });
    const target = postgres(server.url(`${name}_target`), { max: 1, onnotice: () => {} });
    await source.unsafe(`create publication ${name} ${what}`);
    await source`select pg_create_logical_replication_slot(${name}, 'pgoutput')`;
    const { details = [], advice } = await look(server.url(`${name}_source`), 'replication');
    expect(details.some((detail) => detail.includes('and every other table'))).toBe(then === 'stops');
    expect(advice?.includes('for tables in schema')).toBe(then === 'stops');
    await target.unsafe(`create subscription ${name} connection 'host=127.0.0.1 port=${server.port} user=postgres dbname=${name}_source'
      publication ${name} with (create_slot = false, slot_name = '${name}', copy_data = false)`);

    await source`insert into sessions (id, symbol, pairs) values ('two pairs', 'A', '["A", "B"]')`;
    await rollBackDatabaseDownTo(server.url(`${name}_source`), '000');
    await source`insert into sessions (id, symbol) values ('after', 'A')`;
    await until(async () => {
      const [seen] =
        await target`select apply_error_count > 0 as stopped, exists (select from sessions where id = 'after') as arrived from pg_stat_subscription_stats`;
      return then === 'stops' ? seen?.['stopped'] === true : seen?.['arrived'] === true;
    }, `the subscriber ${then}`);
    for (const end of ['alter … disable', 'alter … set (slot_name = none)', 'drop …'])
      await target.unsafe(end.replace('…', `subscription ${name}`));
    await Promise.all([source.end(), target.end()]);
  });

  test('the disk: an old row is logged whole under REPLICA IDENTITY FULL', async () => {
    const usual = await measureWal(server, sql, 'default');
    const full = await measureWal(server, sql, 'full');
    expect(usual.details[0]).toMatch(/^0001_multi_pair_support: about .*B, and the same of WAL$/);
    expect(full.details[0]).toMatch(/^0001_multi_pair_support: about .*B, and .* MB of WAL$/);
    expect(full.details.at(-1)).toBe(
      'sessions has REPLICA IDENTITY FULL under wal_level logical: each update logs the whole old row',
    );
    expect(full.written).toBeGreaterThan(10 * usual.written);
    expect(full.promised / full.written).toBeGreaterThan(0.7);
    expect(full.promised / full.written).toBeLessThan(1.5);
  });
});

/** What 0001 writes to the log over 300 sessions with some 25 kB each that do not compress, so that they stand in TOAST. */
async function measureWal(server: TestServer, admin: Sql, identity: 'default' | 'full') {
  await admin.unsafe(`create database identity_${identity}`);
  const url = server.url(`identity_${identity}`);
  const own = postgres(url, { max: 1, onnotice: () => {} });
  await own.unsafe(await readLegacySchema());
  await own.unsafe(`insert into sessions (id, symbol, metrics)
    select n, 'BTC/USD', (select jsonb_agg(md5(n::text || k)) from generate_series(1, 700) as k)
    from generate_series(1, 300) as n;
    alter table sessions replica identity ${identity}; analyze sessions`);
  const { details = [] } = await look(url, 'disk-space');
  await using connection = await openConnection(url);
  const plan = await planMigrations(connection, { upTo: '001' });
  await own`checkpoint`;
  const [before] = await own`select pg_current_wal_lsn()::text as lsn`;
  await applyMigrations(connection, { upTo: '001' });
  const [row] =
    await own`select pg_wal_lsn_diff(pg_current_wal_lsn(), ${String(before?.['lsn'])}::text::pg_lsn)::float8 as bytes`;
  await own.end();
  return {
    details,
    promised: plan.walBytes['0001_multi_pair_support'] ?? 0,
    written: Number(row?.['bytes']),
  };
}
