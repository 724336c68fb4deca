import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations } from '../../../src/own/index.ts';
import { look } from '../../support/look.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { serverVersions, startServer, startStandby, type TestServer } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

describe.each(serverVersions)('PostgreSQL %i with a hot standby', (version) => {
  let server: TestServer;
  let standby: TestServer;
  let url: string;
  let sql: Sql;
  beforeAll(async () => {
    server = await startServer(version);
    url = server.url('postgres');
    sql = postgres(url, { max: 1, onnotice: () => {} });
    await sql.unsafe(await readLegacySchema());
    standby = await startStandby(server, { wal_receiver_status_interval: '1s' });
    const streams = async (): Promise<boolean> =>
      (await sql`select from pg_stat_replication where state = 'streaming' and replay_lsn is not null`)
        .length > 0;
    await until(streams, 'the standby streams');
  });
  afterAll(async () => {
    await sql.end();
    await standby?.destroy();
    await server.destroy();
  });

  test('its readers will wait, and what runs on it can not be seen', async () => {
    expect(await look(url, 'standbys')).toMatchObject({
      level: 'warning',
      // A later file may lock the third table, too.
      found: expect.stringMatching(
        /^1 standby will replay an ACCESS EXCLUSIVE lock on (?=.*\bsessions\b)(?=.*\borders\b)/,
      ),
      details: [
        expect.stringMatching(
          /^standby standby(, replays .* behind)?: not checked: what runs on it; it sends no hot_standby_feedback$/,
        ),
      ],
      advice: expect.stringContaining('max_standby_streaming_delay'),
    });
    await sql`create role limited login`;
    expect(await look(url.replace('postgres@', 'limited@'), 'standbys')).toMatchObject({
      level: 'warning',
      details: ['not checked: replica standby; what it is and does is hidden from this role'],
    });
    await sql`drop role limited`;
  });

  test('with its feedback on: how old the oldest snapshot of its reports is', async () => {
    const reports = postgres(standby.url('postgres'), { max: 1 });
    await reports`alter system set hot_standby_feedback = on`;
    await reports`select pg_reload_conf()`;
    await reports.unsafe('begin isolation level repeatable read; select count(*) from sessions');
    const seen = async (): Promise<boolean> => {
      await sql`select pg_current_xact_id()`;
      const [row] = await sql`select age(backend_xmin) > 20 as old from pg_stat_replication`;
      return row?.['old'] === true;
    };
    await until(seen, 'the feedback tells of an old snapshot');
    expect((await look(url, 'standbys')).details).toEqual([
      expect.stringMatching(/: a query on it has a snapshot of \d+ transactions ago$/),
    ]);
    await reports.unsafe('rollback');
    await reports.end();
  });

  test('synchronous, and remote_apply: writers here will wait as long', async () => {
    await sql`alter system set synchronous_standby_names = 'standby'`;
    await sql`alter database postgres set synchronous_commit = remote_apply`;
    await sql`select pg_reload_conf()`;
    const isSynchronous = async (): Promise<boolean> =>
      (await sql`select from pg_stat_replication where sync_state = 'sync'`).length > 0;
    await until(isSynchronous, 'the standby is synchronous');
    const report = await look(url, 'standbys');
    expect(report.details).toEqual([
      expect.stringMatching(/^standby standby \(synchronous\)/),
      expect.stringMatching(/^synchronous_commit is remote_apply for sessions of this role here: each/),
      expect.stringMatching(/^synchronous_commit is remote_apply for sessions in database postgres: each/),
    ]);
    expect(report.advice).toContain("alter system set synchronous_commit = 'on'");
    await sql`alter database postgres reset synchronous_commit`;
    await sql`alter system reset synchronous_standby_names`;
    await sql`select pg_reload_conf()`;
  });

  test('nothing to say once no lock is to come', async () => {
    await using connection = await openConnection(url);
    await applyMigrations(connection);
    expect(await look(url, 'standbys')).toMatchObject({ level: 'ok' });
  });
});
