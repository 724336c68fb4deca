import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isServerSetting, urlParameters } from '../../src/connection/url/parameters/index.ts';
import type { ServerSettings } from '../../src/connection/url/server-settings.ts';
import { parseTarget } from '../../src/connection/url.ts';
import { toConninfo, toLibpqEnvironment, withDatabase } from '../../src/ops/backup/libpq.ts';

let home: string;
beforeEach(async () => {
  // What this machine says is no part of the test.
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]/.test(name)) vi.stubEnv(name, undefined);
  home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-url-'));
  vi.stubEnv('HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

function read(url: string): ServerSettings {
  const target = parseTarget(url);
  if (target.kind !== 'server') throw new Error('no server');
  return target.settings;
}
const server = (url: string): string =>
  read(url)
    .endpoints.map(({ host, port, socket }) => socket ?? `${host} ${port}`)
    .join(', ');

describe('a URL leads our session and pg_dump to the same place', () => {
  test.each([
    ['postgres://u@h/d', 'h 5432', 'h', '5432'],
    ['postgres://u@h:6000/d', 'h 6000', 'h', '6000'],
    ['postgres://u@a:1,b/d', 'a 1, b 5432', 'a,b', '1,5432'],
    ['postgres://u@a,b/d?port=7', 'a 7, b 7', 'a,b', '7,7'],
    ['postgres://u@[::1]:6000/d', '::1 6000', '::1', '6000'],
    ['postgres://u@h/d?host=other&port=7', 'other 7', 'other', '7'],
    ['postgres://u@%2Fvar%2Frun/d', '/var/run/.s.PGSQL.5432', '/var/run', '5432'],
    ['postgres://u@/d?host=/srv/pg&port=6000', '/srv/pg/.s.PGSQL.6000', '/srv/pg', '6000'],
  ])('%s', (url, expected, host, port) => {
    expect(server(url)).toBe(expected);
    expect(toLibpqEnvironment(url)).toMatchObject({
      PGHOST: host,
      PGPORT: port,
      PGUSER: 'u',
      PGDATABASE: 'd',
    });
  });

  test('what it leaves open comes from the environment, and else is the same for both', async () => {
    vi.stubEnv('PGHOST', 'from-env');
    vi.stubEnv('PGPORT', '7000');
    vi.stubEnv('PGUSER', 'role');
    vi.stubEnv('PGPASSWORD', 'secret');
    vi.stubEnv('PGSSLMODE', 'disable');
    vi.stubEnv('PGSERVICE', 'elsewhere');
    vi.stubEnv('PGHOSTADDR', '192.0.2.1');
    const { user, password, database, encryption, notes } = read('postgres:///');
    expect(server('postgres:///')).toBe('from-env 7000');
    expect({ user, password, database }).toEqual({ user: 'role', password: 'secret', database: 'role' });
    expect(encryption.tries).toEqual(['never']);
    expect(notes).toEqual([
      expect.stringContaining('PGSERVICE, PGHOSTADDR of the environment: not followed'),
    ]);
    const environment = toLibpqEnvironment('postgres://me@h/d?sslmode=require');
    expect(environment).toMatchObject({ PGHOST: 'h', PGPORT: '7000', PGUSER: 'me', PGSSLMODE: 'require' });
    expect(environment).not.toHaveProperty('PGSERVICE');
    expect(environment).not.toHaveProperty('PGHOSTADDR');
  });

  test('no host at all is the socket of this machine, or localhost: whichever, it is told to both', () => {
    const [endpoint] = read('postgres:///d?port=1').endpoints;
    expect(endpoint).toMatchObject({ host: 'localhost', port: 1 });
    expect(toLibpqEnvironment('postgres:///d?port=1')).toMatchObject({ PGHOST: 'localhost', PGPORT: '1' });
  });

  test('role, password, database and options of the query are those of both', () => {
    const url =
      'postgres://h/d?user=u%20s&password=a%2Bb+c&dbname=e&options=-c%20geqo%3Doff&application_name=x';
    expect(read(url)).toMatchObject({
      user: 'u s',
      password: 'a+b+c',
      database: 'e',
      startup: { application_name: 'x', options: '-c geqo=off' },
    });
    expect(toLibpqEnvironment(url)).toMatchObject({
      PGUSER: 'u s',
      PGPASSWORD: 'a+b+c',
      PGDATABASE: 'e',
      PGOPTIONS: '-c geqo=off',
      PGAPPNAME: 'x',
    });
    expect(read(withDatabase(url, 'f/g')).database).toBe('f/g');
  });

  test('settings of the server and Prisma’s schema go to both', () => {
    const url = 'postgres://u@h/d?schema=Trading&statement_timeout=5%20s';
    expect(read(url).startup).toMatchObject({ search_path: '"Trading"', statement_timeout: '5 s' });
    expect(read(url).notes).toEqual([expect.stringContaining('search_path')]);
    expect(toLibpqEnvironment(url)['PGOPTIONS']).toBe('-c search_path="Trading" -c statement_timeout=5\\ s');
  });

  test('what libpq has no variable for is an argument, and a secret is none', () => {
    expect(toConninfo('postgres://u@h/d?keepalives_idle=5&hostaddr=192.0.2.1')).toBe(
      "hostaddr='192.0.2.1' keepalives_idle='5'",
    );
    const url = 'postgres://u@h/d?sslcert=c&sslkey=k&sslpassword=SECRET';
    expect(read(url).encryption).toMatchObject({ keyPassword: 'SECRET' });
    expect(() => toLibpqEnvironment(url)).toThrow(expect.objectContaining({ code: 'URL_INVALID' }));
  });

  test('whoever never answers is given up within 15 s, however many hosts there are', () => {
    for (const hosts of ['a', 'a,b', 'a,b,c,d']) {
      const { endpoints, connectTimeoutMs } = read(`postgres://u@${hosts}/d`);
      expect(connectTimeoutMs).toBeGreaterThan(0);
      expect(endpoints.length * connectTimeoutMs).toBeLessThan(15_000);
    }
    expect(read('postgres://u@h/d?connect_timeout=30').connectTimeoutMs).toBe(30_000);
    expect(toLibpqEnvironment('postgres://u@h/d')).toMatchObject({ PGCONNECT_TIMEOUT: '10' });
  });
});

describe('encryption means what it means in libpq', () => {
  test.each([
    ['', ['if-offered', 'never'], 'nothing', 'prefer'],
    ['sslmode=disable', ['never'], 'nothing', 'disable'],
    ['ssl=false', ['never'], 'nothing', 'disable'],
    ['sslmode=allow', ['never', 'always'], 'nothing', 'allow'],
    ['sslmode=require', ['always'], 'nothing', 'require'],
    ['sslmode=no-verify', ['always'], 'nothing', 'require'],
    ['sslmode=require&sslrootcert=/ca.pem', ['always'], 'chain', 'require'],
    ['sslmode=verify-ca&sslrootcert=/ca.pem', ['always'], 'chain', 'verify-ca'],
    ['sslmode=verify-full&sslrootcert=/ca.pem', ['always'], 'host', 'verify-full'],
    ['sslmode=verify-full', ['always'], 'host', 'verify-full'],
    ['ssl=true', ['always'], 'host', 'verify-full'],
    ['sslrootcert=system', ['always'], 'host', 'verify-full'],
    ['sslmode=require&sslaccept=strict', ['always'], 'host', 'verify-full'],
    ['sslmode=require&channel_binding=require', ['always'], 'host', 'verify-full'],
  ])('%s', (query, tries, check, mode) => {
    const url = `postgres://u@h/d?${query}`;
    expect(read(url).encryption).toMatchObject({ tries, check });
    expect(toLibpqEnvironment(url)['PGSSLMODE']).toBe(mode);
  });

  test('channel binding is for pg_dump; what our session does instead is said', () => {
    const url = 'postgres://u@h/d?sslmode=require&channel_binding=require';
    expect(toLibpqEnvironment(url)).toMatchObject({ PGCHANNELBINDING: 'require', PGSSLROOTCERT: 'system' });
    expect(read(url).notes).toEqual([expect.stringMatching(/^channel_binding=require .*verify-full/)]);
  });
});

test('what is for a pool is said to be, and what behind a pooler is asked for is so anyway', () => {
  const url = 'postgres://u@h/d?pgbouncer=true&connection_limit=1&statement_cache_size=0&uselibpqcompat=true';
  expect(read(url).notes).toEqual([
    'connection_limit of the URL is about the pool of a service; a command has none',
  ]);
  expect(read(url).startup).toEqual({ application_name: 'multi-pair-db' });
});

test.each([
  ['sslmod=SECRET', 'sslmod', 'Is sslmode meant?'],
  ['nonsense=SECRET', 'nonsense', 'options=-c%20nonsense%3DVALUE'],
  ['sslmode=SECRET', 'sslmode', 'verify-full'],
  ['sslmode=verify-ca', 'verify-ca', 'sslrootcert=FILE'],
  ['sslmode=require&sslrootcert=system', 'system', 'verify-full'],
  ['sslmode=disable&channel_binding=require', 'channel_binding', 'one of the two'],
  ['sslcert=SECRET', 'sslcert', 'sslrootcert=FILE'],
  ['sslidentity=SECRET', 'sslidentity', 'openssl pkcs12'],
  ['gssencmode=require', 'gssencmode', 'disable'],
  ['requirepeer=postgres', 'requirepeer', 'verify-full'],
  ['service=SECRET', 'service', 'into the URL'],
  ['target_session_attrs=SECRET', 'target_session_attrs', 'prefer-standby'],
  ['connect_timeout=10s', 'connect_timeout', 'without unit'],
  ['sslmode=require&ssl=false', 'sslmode twice', ''],
  ['sslmode=require&sslmode=disable', 'sslmode twice', ''],
  ['host=a,b&port=1,2,3', 'ports', ''],
  ['port=0', 'port', ''],
])('%s is refused by name, with what to do', (query, named, advice) => {
  expect(() => parseTarget(`postgres://u@h/d?${query}`)).toThrow(
    expect.objectContaining({
      code: 'URL_INVALID',
      exitCode: 2,
      isRetryable: false,
      message: expect.stringMatching(new RegExp(`^(?!.*SECRET).*${named}`)),
      advice: expect.stringContaining(advice),
    }),
  );
});

test('the table says of every parameter what becomes of it, and leads to parameters that are there', () => {
  for (const [name, { becomes, alias, variable, isArgument, refused }] of urlParameters) {
    expect(becomes, name).toMatch(/\w/);
    if (alias !== undefined) expect(urlParameters.has(alias), name).toBe(true);
    expect(variable !== undefined && isArgument === true, name).toBe(false);
    if (refused !== undefined) expect(refused, name).toMatch(/\w/);
    if (isServerSetting(name)) expect(variable, name).toBeUndefined();
  }
});
