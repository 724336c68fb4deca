import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { type CheckReport, runPreflight } from '../../../src/own/index.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { isOnPath } from '../../support/programs.ts';
import { serverVersions, startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

async function look(url: string, id: string): Promise<CheckReport> {
  await using connection = await openConnection(url);
  const { checks } = await runPreflight(connection);
  const report = checks.find((check) => check.id === id);
  if (report === undefined) throw new Error(`no check ${id}`);
  return report;
}

const hasPgReceivewal = isOnPath('pg_receivewal');

/** Slots, replicas and preloaded libraries belong to a whole server: these tests have servers of their own. */
describe.each(serverVersions)('PostgreSQL %i, the server', (version) => {
  let server: TestServer;
  let url: string;
  let sql: Sql;
  beforeAll(async () => {
    server = await startServer(version, { shared_preload_libraries: 'pg_stat_statements' });
    url = server.url('postgres');
    sql = postgres(url, { max: 1, onnotice: () => {} });
    await sql.unsafe(await readLegacySchema());
  });
  afterAll(async () => {
    await sql.end();
    await server.destroy();
  });

  test('has no replicas', async () => {
    expect(await look(url, 'replication')).toMatchObject({ level: 'ok', found: 'no replicas' });
  });

  test('retains WAL for a slot that nobody reads', async () => {
    await sql`select pg_create_physical_replication_slot('gone', true)`;
    expect(await look(url, 'replication')).toMatchObject({
      level: 'warning',
      details: [expect.stringMatching(/^slot gone has no consumer and retains \d+(\.\d)? [kM]?B of WAL$/)],
      advice: expect.stringContaining('pg_drop_replication_slot'),
    });
    await sql`select pg_drop_replication_slot('gone')`;
  });

  test('sends the tables to logical subscribers', async () => {
    await sql`create publication to_analytics for table fills, orders`;
    expect(await look(url, 'replication')).toMatchObject({
      level: 'warning',
      details: ['publication to_analytics sends fills, orders to logical subscribers'],
      advice: expect.stringContaining('migrate the subscriber first'),
    });
    await sql`drop publication to_analytics`;
  });

  // pg_receivewal reads from servers of its own version or older ones.
  test.skipIf(!hasPgReceivewal || version !== 15)('has a replica that falls behind', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-wal-'));
    const source = `host=127.0.0.1 port=${server.port} user=postgres application_name=standby`;
    const child = spawn('pg_receivewal', ['-D', directory, '-d', source, '--synchronous', '--no-loop'], {
      stdio: 'ignore',
    });
    const streaming = async (): Promise<boolean> => {
      const [row] = await sql`select state from pg_stat_replication where flush_lsn is not null`;
      return row?.['state'] === 'streaming';
    };
    await until(streaming, 'pg_receivewal streams');
    expect(await look(url, 'replication')).toMatchObject({ level: 'ok', found: '1 replica, not behind' });

    child.kill('SIGSTOP');
    await sql`select pg_logical_emit_message(false, 'bulk', repeat('x', 1000000)) from generate_series(1, 40)`;
    expect(await look(url, 'replication')).toMatchObject({
      level: 'warning',
      details: [expect.stringMatching(/^replica standby \(\w+\) is \d+ MB.* behind$/)],
      advice: 'Wait until the replicas have caught up.',
    });

    await sql`create role limited login`;
    expect(await look(url.replace('postgres@', 'limited@'), 'replication')).toMatchObject({
      level: 'warning',
      details: ['not checked: replica standby; how far it is behind is hidden from this role'],
    });
    await sql`drop role limited`;

    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  });

  test('remembers who selects *, without the values', async () => {
    expect(await look(url, 'select-star')).toMatchObject({ level: 'skipped' });
    await sql`create schema stats`;
    await sql`create extension pg_stat_statements schema stats`;
    await sql`select stats.pg_stat_statements_reset()`;
    await sql`select id, count(*) from sessions group by id`;
    expect(await look(url, 'select-star')).toMatchObject({ level: 'ok' });

    for (const statement of [
      `select * from sessions where exchange = 'kraken'`,
      `select s.* from public.sessions as s join orders on orders.sessionid = s.id`,
      `insert into fills (id) values ('a') returning *`,
      `select * from pg_stat_activity`,
      'select * from sessions_of_others',
    ]) {
      await sql.unsafe(statement).catch(() => {});
    }
    const report = await look(url, 'select-star');
    expect(report).toMatchObject({
      level: 'warning',
      found: '3 statements with * on these tables, as far as pg_stat_statements remembers',
    });
    expect([...(report.details ?? [])].sort()).toEqual([
      '1 call: insert into fills (id) values ($1) returning *',
      '1 call: select * from sessions where exchange = $1',
      '1 call: select s.* from public.sessions as s join orders on orders.sessionid = s.id',
    ]);

    await sql`create role limited login`;
    await sql`grant usage on schema stats to limited`;
    expect(await look(url.replace('postgres@', 'limited@'), 'select-star')).toMatchObject({
      level: 'warning',
      details: [
        expect.stringMatching(/^not checked: \d+ statements? of other roles, hidden from this role$/),
      ],
      advice: expect.stringContaining('grant pg_read_all_stats'),
    });
    await sql`drop owned by limited`;
    await sql`drop role limited`;
  });

  // The last test of its server: there is no way back.
  test('is a replica', async () => {
    expect(await look(url, 'writable')).toMatchObject({ level: 'ok' });
    const [row] = await sql`select current_setting('data_directory') as directory`;
    await sql.end();
    await server.kill();
    const signal = path.join(String(row?.['directory']), 'standby.signal');
    await writeFile(signal, '');
    await chmod(signal, 0o666);
    // Its processes may need a moment to notice that they are alone; until then it can't start again.
    const starts = (): Promise<boolean> =>
      server.start().then(
        () => true,
        () => false,
      );
    await until(starts, 'it starts');
    expect(await look(url, 'writable')).toMatchObject({
      level: 'blocker',
      found: 'this server is a replica',
      advice: 'Use the URL of the primary.',
    });
    // WAL positions of a primary can't be asked for here: that must not be taken for a fault.
    expect(await look(url, 'replication')).toMatchObject({ level: 'ok' });
  });
});
