import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockEmbedded } from '../../src/connection/embedded-lock.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-lock-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Above the largest process id of any system. */
const nobody = 2 ** 22 + 1;

test('one process at a time; what a killed one has left is taken over', async () => {
  const directory = path.join(home, 'data');
  const release = await lockEmbedded(directory);
  await expect(lockEmbedded(`${directory}/`)).rejects.toMatchObject({
    code: 'LOCKED',
    exitCode: 4,
    message: expect.stringContaining(`in use by process ${process.pid}`),
  });
  await release();
  expect(existsSync(`${directory}.lock`)).toBe(false);

  await writeFile(`${directory}.lock`, String(nobody));
  await lockEmbedded(directory);
  expect(await readFile(`${directory}.lock`, 'utf8')).toBe(String(process.pid));
});

test('of many that find what a killed one has left, one gets it', async () => {
  const directory = path.join(home, 'other');
  await writeFile(`${directory}.lock`, String(nobody));
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockEmbedded(directory)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(19);
});
