import { getEventListeners } from 'node:events';
import { DrizzleQueryError } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DatabaseError, InvalidArgumentError, withRetry } from '../../../src/queries/index.ts';

const deadlock = () => new DatabaseError('saveOrders', { code: 'deadlock', message: 'a deadlock' });
const withCode = (code: string, message = 'of the driver') => Object.assign(new Error(message), { code });
const wrapped = (cause: Error) => new DrizzleQueryError('commit', [], cause);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Runs work that throws these one after the other, then gives its attempt; with timers that wait for nobody. */
async function run(errors: readonly unknown[], options: Parameters<typeof withRetry>[1] = {}) {
  const waits = vi.spyOn(globalThis, 'setTimeout');
  const seen: number[] = [];
  const work = async (attempt: number): Promise<number> => {
    seen.push(attempt);
    if (attempt <= errors.length) throw errors[attempt - 1];
    return attempt;
  };
  const ended = withRetry(work, options).then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  );
  await vi.runAllTimersAsync();
  return { ...(await ended), seen, waits: waits.mock.calls.map(([, ms]) => ms) };
}

test('what succeeds runs once; what may succeed runs again, with the number of its attempt', async () => {
  expect(await run([])).toEqual({ value: 1, error: undefined, seen: [1], waits: [] });
  expect(await run([deadlock(), deadlock()])).toMatchObject({ value: 3, seen: [1, 2, 3] });
});

test('the pauses are of chance, below a bound that doubles up to the greatest', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const errors = Array.from({ length: 5 }, deadlock);
  const { waits } = await run(errors, { attempts: 6, baseDelayMs: 100, maxDelayMs: 500 });
  expect(waits).toEqual([50, 100, 200, 250, 250]);
  vi.spyOn(Math, 'random').mockReturnValue(0);
  expect((await run(errors, { attempts: 6 })).waits.slice(-5)).toEqual([0, 0, 0, 0, 0]);
});

test('the last error is thrown as it was, and so is one that no new try overcomes', async () => {
  const errors = Array.from({ length: 9 }, deadlock);
  const { error, seen } = await run(errors);
  expect(error).toBe(errors[4]);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect((await run(errors, { attempts: 1 })).error).toBe(errors[0]);
  for (const other of [new InvalidArgumentError('x'), new TypeError('connection'), 'text', undefined, null]) {
    expect(await run([deadlock(), other])).toMatchObject({ error: other, seen: [1, 2] });
  }
});

test.each([
  ['a commit through Drizzle', wrapped(withCode('40001'))],
  ['a commit by the driver', withCode('40001')],
  ['a deadlock', withCode('40P01')],
  ['a server that ends the connection', wrapped(withCode('57P01'))],
  ['a connection that fails', withCode('08006')],
  ['postgres.js', withCode('CONNECTION_CLOSED')],
  ['the system', withCode('ECONNREFUSED')],
  ['pg, wrapped', wrapped(new Error('Connection terminated unexpectedly'))],
  ['the pool of pg', new Error('timeout exceeded when trying to connect')],
])('%s is worth another try', async (_, error) => {
  expect(await run([error])).toMatchObject({ value: 2 });
});

test.each([
  ['a duplicate key', wrapped(withCode('23505'))],
  ['a statement that was cancelled', withCode('57014')],
  ['a file that is not there', withCode('ENOENT')],
  ['an error of the caller, whatever its words', new Error('the venue closed the connection: timeout')],
  ['a code of somebody else', withCode('ERR_INVALID_URL')],
])('%s is not', async (_, error) => {
  expect(await run([error])).toMatchObject({ error, seen: [1] });
});

test('a statement of a transaction that has failed: the first error says why', async () => {
  const first = deadlock();
  const aborted = new DatabaseError('saveOrders', { code: 'transaction_aborted', message: 'aborted' });
  expect(await run([first, aborted])).toMatchObject({ error: first, seen: [1, 2] });
  expect(await run([aborted])).toMatchObject({ error: aborted, seen: [1] });
});

test('a signal ends the pause, is asked before each attempt, and keeps no listener', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  expect(await run([deadlock()], { signal })).toMatchObject({ value: 2 });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const reason = new Error('stopped');
  let attempts = 0;
  const ended = withRetry(
    async () => {
      attempts++;
      throw deadlock();
    },
    { signal, baseDelayMs: 3_600_000, maxDelayMs: 3_600_000 },
  ).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(0);
  controller.abort(reason);
  expect(await ended).toBe(reason);
  expect(attempts).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
  expect(await run([], { signal })).toMatchObject({ error: reason, seen: [] });
});

test('options have bounds', async () => {
  const work = async () => 1;
  for (const options of [
    { attempts: 0 },
    { attempts: 101 },
    { attempts: 1.5 },
    { baseDelayMs: 0 },
    { baseDelayMs: 3_600_001 },
    { maxDelayMs: 49 },
    { baseDelayMs: 100, maxDelayMs: 99 },
    { maxDelayMs: 3_600_001 },
    { signal: {} as AbortSignal },
  ]) {
    await expect(withRetry(work, options)).rejects.toBeInstanceOf(InvalidArgumentError);
  }
  for (const options of [{ attempts: 100, baseDelayMs: 1, maxDelayMs: 1 }, { baseDelayMs: 3_600_000 }]) {
    expect(await withRetry(work, options)).toBe(1);
  }
  await expect(withRetry('work' as never)).rejects.toBeInstanceOf(InvalidArgumentError);
});
