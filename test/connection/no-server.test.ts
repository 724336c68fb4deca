import { expect, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { type Manner, startEndpoint } from '../support/endpoints.ts';
import { until } from '../support/waiting.ts';

const manners: [Manner, string, RegExp][] = [
  ['says nothing', 'disable', /accepts connections, and then says nothing: waited 1 s$/],
  ['says nothing', 'require', /accepts connections, and then says nothing: waited 1 s$/],
  ['closes at once', 'disable', /accepts connections and closes them at once$/],
  ['closes at once', 'prefer', /accepts connections and closes them at once$/],
  ['answers garbage', 'disable', /is no PostgreSQL server$/],
  ['answers garbage', 'prefer', /is no PostgreSQL server$/],
  ['lets in and says nothing', 'prefer', /accepts connections, and then says nothing: waited 1 s$/],
  ['lets in and says nothing', 'require', /the server does not speak SSL/],
];

test.each(manners)('an endpoint that %s, sslmode=%s, ends in words', async (manner, sslmode, message) => {
  await using endpoint = await startEndpoint(manner);
  const url = `postgres://u:SECRET@127.0.0.1:${endpoint.port}/db?sslmode=${sslmode}&connect_timeout=1`;
  const startedAtMs = Date.now();
  const error: unknown = await openConnection(url).catch((cause: unknown) => cause);
  expect(Date.now() - startedAtMs).toBeLessThan(5_000);
  expect(error).toMatchObject({
    code: 'UNREACHABLE',
    exitCode: 3,
    message: expect.stringMatching(message),
    advice: expect.stringMatching(/\w/),
    statement: undefined,
  });
  expect(JSON.stringify(error)).not.toContain('SECRET');
  // The driver alone would have tried again, and again.
  expect(endpoint.connections()).toBe(1);
});

test.each(manners.slice(0, 2))(
  'told to stop while an endpoint %s, sslmode=%s: at once',
  async (manner, sslmode) => {
    await using endpoint = await startEndpoint(manner);
    const interrupt = new AbortController();
    const opened = openConnection(`postgres://u@127.0.0.1:${endpoint.port}/db?sslmode=${sslmode}`, {
      signal: interrupt.signal,
    });
    const error = opened.catch((cause: unknown) => cause);
    await until(async () => endpoint.connections() > 0, 'it has connected');
    const abortedAtMs = Date.now();
    interrupt.abort();
    expect(await error).toMatchObject({
      code: 'INTERRUPTED',
      exitCode: 5,
      isRetryable: false,
      message: expect.stringContaining('nothing was changed'),
    });
    expect(Date.now() - abortedAtMs).toBeLessThan(500);
  },
);

test('of several hosts, each one is tried, and the first fault is told', async () => {
  await using closing = await startEndpoint('closes at once');
  await using other = await startEndpoint('answers garbage');
  await expect(
    openConnection(`postgres://u@127.0.0.1:${closing.port},127.0.0.1:${other.port}/db`),
  ).rejects.toMatchObject({ message: expect.stringContaining('closes them at once') });
  expect(other.connections()).toBe(1);
});
