import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findPassword } from '../../src/connection/passfile.ts';
import type { Endpoint } from '../../src/connection/url/endpoints.ts';
import { readServerSettings } from '../../src/connection/url/server-settings.ts';
import { createRedactor } from '../../src/connection/url.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-secrets-'));
  vi.stubEnv('HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

const read = (url: string) => readServerSettings(url, {});

test('a password file is read as libpq reads it: the first line that fits, and only where nobody else can', async () => {
  const file = path.join(home, '.pgpass');
  await writeFile(
    file,
    '# no:1:d:u:one\nh:5432:other:u:two\n*:*:d:u:with\\:colon:and\\\\more\nh:5432:d:u:late\n',
  );
  const settings = read('postgres://u@h/d');
  const endpoint = settings.endpoints[0] as Endpoint;
  await chmod(file, 0o600);
  expect(await findPassword(settings, endpoint)).toBe('with:colon:and\\more');
  expect(await findPassword({ ...settings, user: 'other' }, endpoint)).toBeUndefined();
  await chmod(file, 0o644);
  expect(await findPassword(settings, endpoint)).toBeUndefined();
  const elsewhere = read(`postgres://u@h/d?passfile=${encodeURIComponent(path.join(home, 'none'))}`);
  expect(await findPassword(elsewhere, endpoint)).toBeUndefined();
});

test('no spelling of a secret comes through', () => {
  vi.stubEnv('PGPASSWORD', 'env/Secret');
  const redact = createRedactor('postgres://u:p%2fw%20ö@h/d?sslpassword=k%25y&password=q+r');
  const spellings =
    'p/w ö, p%2fw%20ö, p%2Fw%20%C3%B6, p%2fw%20%c3%b6, k%y, k%25y, q+r, q%2Br, env/Secret, env%2FSecret';
  expect(redact(spellings)).toBe(
    spellings
      .split(', ')
      .map(() => '***')
      .join(', '),
  );
});
