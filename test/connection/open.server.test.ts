import { describe, expect, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { createDatabase } from '../support/database.ts';
import { serverVersions } from '../support/server.ts';
import { until } from '../support/waiting.ts';

const newest = 18;

describe.each(serverVersions)('a session on PostgreSQL %i', (version) => {
  test('knows itself, binds parameters, and reads numbers as they are', async () => {
    await using db = await createDatabase(version, 'empty');
    await using connection = await openConnection(db.url);
    expect(connection).toMatchObject({
      kind: 'server',
      target: expect.stringMatching(/^127\.0\.0\.1:\d+\/t/),
    });
    expect(Math.floor(connection.versionNumber / 10_000)).toBe(version);
    expect(
      await connection.query(
        'select $1::int as n, $2::text[] as list, 9007199254740991::bigint as exact, 9223372036854775807::bigint as large, 0.1::numeric as decimal',
        [7, ['a', 'b "c"']],
      ),
    ).toEqual([{ n: 7, list: ['a', 'b "c"'], exact: 2 ** 53 - 1, large: 2n ** 63n - 1n, decimal: '0.1' }]);
  });

  test('opens a database whatever its name, percent-encoded in the URL', async () => {
    await using db = await createDatabase(version, 'empty');
    const name = `${db.name} 100% "tråding"/%41`;
    await db.sql.unsafe(`create database "${name.replaceAll('"', '""')}"`);
    try {
      await using connection = await openConnection(db.url.replace(db.name, encodeURIComponent(name)));
      expect(connection.target).toContain(`/${name}`);
      expect(await connection.query('select current_database() as name')).toEqual([{ name }]);
      await using second = await connection.openSecond();
      expect(await second?.query('select current_database() as name')).toEqual([{ name }]);
    } finally {
      await db.sql.unsafe(`drop database "${name.replaceAll('"', '""')}" with (force)`);
    }
  });

  test('that the server has ended stays ended: no other session takes its place', async () => {
    await using db = await createDatabase(version, 'empty');
    await using connection = await openConnection(db.url);
    await connection.execute('select pg_advisory_lock(1)');
    await db.sql`select pg_terminate_backend(${connection.pid})`;
    await until(
      async () => (await db.sql`select from pg_stat_activity where pid = ${connection.pid}`).length === 0,
      'it is gone',
    );
    for (const _ of [1, 2]) {
      await expect(connection.query('select 1')).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
        exitCode: 3,
      });
    }
  });
});

test.each([
  ['postgres://postgres@127.0.0.1:1/closed', 'UNREACHABLE', 'ECONNREFUSED'],
  ['postgres://postgres@localhost:1/closed', 'UNREACHABLE', 'ECONNREFUSED'],
  ['postgres://postgres@no-such-host.invalid/db', 'UNREACHABLE', 'no-such-host.invalid'],
])('%s is %s', async (url, code, message) => {
  await expect(openConnection(url)).rejects.toMatchObject({
    code,
    exitCode: 3,
    message: expect.stringContaining(message),
    statement: undefined,
  });
});

test('what can’t be opened says why: no such database, role or parameter', async () => {
  await using db = await createDatabase(newest, 'empty');
  const missing = `nobody_${db.name}`;
  await expect(openConnection(`${db.url}?nonsense=1`)).rejects.toMatchObject({
    code: 'URL_INVALID',
    exitCode: 2,
    message: expect.stringContaining('nonsense'),
    advice: expect.stringContaining('options=-c%20nonsense%3DVALUE'),
  });
  const refusals = {
    [`${db.url}_not`]: 'DATABASE_MISSING',
    [db.url.replace('postgres@', `${missing}@`)]: 'AUTHENTICATION_FAILED',
  };
  for (const [url, code] of Object.entries(refusals)) {
    await expect(openConnection(url)).rejects.toMatchObject({
      code,
      exitCode: 3,
      advice: expect.stringMatching(/\w/),
    });
  }
  await expect(openConnection(`${db.url}_not`)).rejects.toMatchObject({
    message: expect.stringContaining(`there is no database ${db.name}_not`),
    advice: expect.stringContaining(`create database ${db.name}_not;`),
  });
  await expect(openConnection(db.url.replace('postgres@', `${missing}:SECRET@`))).rejects.toMatchObject({
    message: expect.stringContaining(`there is no role ${missing}`),
    advice: expect.stringContaining(`create role ${missing} login;`),
  });
});
