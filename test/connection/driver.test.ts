import { expect, test } from 'vitest';
import { loadDriver } from '../../src/connection/driver.ts';

const missing = (name: string): Error =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /app/index.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });

test('a driver that is not installed is named, with how to install it', async () => {
  await expect(loadDriver('postgres', () => Promise.reject(missing('postgres')))).rejects.toMatchObject({
    code: 'DRIVER_MISSING',
    exitCode: 2,
    advice: expect.stringContaining('npm install postgres'),
  });
});

test('require says it in other words', async () => {
  const message = "Cannot find module 'postgres'\nRequire stack:\n- /app/index.js";
  const required = Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });
  await expect(loadDriver('postgres', () => Promise.reject(required))).rejects.toMatchObject({
    code: 'DRIVER_MISSING',
  });
});

test('any other fault of a driver is shown as it is', async () => {
  const broken = missing('something-of-the-driver');
  await expect(loadDriver('postgres', () => Promise.reject(broken))).rejects.toBe(broken);
  expect(await loadDriver('postgres', () => Promise.resolve('driver'))).toBe('driver');
});
