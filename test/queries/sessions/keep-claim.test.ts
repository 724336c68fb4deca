import { getEventListeners } from 'node:events';
import { drizzle } from 'drizzle-orm/pg-proxy';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SessionSummary } from '../../../src/queries/index.ts';
import type { Claim } from '../../../src/queries/sessions/claim-lease.ts';
import { keepClaim } from '../../../src/queries/sessions/keep-claim.ts';

const session: SessionSummary = JSON.parse('{"id":"s"}');
const claimNow = (): Claim => ({ session, attemptBefore: null, stampMs: 1, sentAtMs: performance.now() });

// The clock is the test's: renewals are due after 10 and 20 s, doubt is after 25 s.
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Keeps a claim of 30 s against a database that answers so; tells how it ended. */
async function keep(
  answer: (stampMs: unknown) => Promise<number | undefined>,
  work: (signal: AbortSignal) => Promise<unknown>,
) {
  const db = drizzle(async (_text, params) => {
    const stamp = await answer(params[1]);
    return { rows: stamp === undefined ? [] : [[stamp]] };
  });
  const stop = new AbortController();
  const failures: unknown[] = [];
  const fail = (error: unknown): void => void failures.push(error);
  const keeping = keepClaim(db, claimNow(), { retryAfterMs: 30_000, stop: stop.signal, fail }, work);
  await vi.advanceTimersByTimeAsync(60_000);
  const kept = await keeping;
  expect(vi.getTimerCount()).toBe(0);
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  return { kept, failures };
}
const abortOf = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
const refusal = (code: string): Error => Object.assign(new Error('of the driver'), { code });

test('each renewal compares with the stamp of the one before, and the last stamp is what counts', async () => {
  const seen: unknown[] = [];
  let renewedTwice = (): void => {};
  const work = new Promise<void>((resolve) => {
    renewedTwice = resolve;
  });
  const { kept, failures } = await keep(
    async (stampMs) => {
      seen.push(stampMs);
      if (seen.length === 2) renewedTwice();
      return Number(stampMs) + 10;
    },
    () => work.then(() => 'done'),
  );
  expect(seen).toEqual([1, 11]);
  expect(kept).toEqual({ value: 'done', stampMs: 21 });
  expect(failures).toEqual([]);
});

test('work that ends while a renewal is under way waits for its answer', async () => {
  let end = (): void => {};
  const { kept } = await keep(
    async () => {
      end();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return 99;
    },
    () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  );
  expect(kept).toEqual({ value: undefined, stampMs: 99 });
});

test('an error that a new try may overcome is tried again, until the claim is in doubt', async () => {
  let tries = 0;
  const { kept, failures } = await keep(async () => {
    tries++;
    throw refusal('ECONNRESET');
  }, abortOf);
  expect(tries).toBeGreaterThan(1);
  expect(kept).toMatchObject({ value: { code: 'claim_lost' }, stampMs: 1 });
  expect(failures).toEqual([]);
});

test('an answer that does not come puts the claim in doubt', async () => {
  const { kept, failures } = await keep(() => new Promise(() => {}), abortOf);
  expect(kept).toMatchObject({ value: { code: 'claim_lost' }, stampMs: 1 });
  expect(failures).toEqual([]);
});

test('any other error ends the worker, and is what the work is told', async () => {
  const { kept, failures } = await keep(() => Promise.reject(refusal('42501')), abortOf);
  expect(failures).toMatchObject([{ code: 'insufficient_privilege' }]);
  expect(kept).toEqual({ value: failures[0], stampMs: 1 });
});

test('whether work has given up goes by its error, and only where its signal has aborted', async () => {
  const answer = async (): Promise<undefined> => undefined;
  const isAbort = async (thrown: (signal: AbortSignal) => unknown): Promise<unknown> => {
    const { kept } = await keep(answer, async (signal) => {
      await abortOf(signal);
      throw thrown(signal);
    });
    return 'isAbort' in kept && kept.isAbort;
  };
  const circle = new Error('in a circle');
  circle.cause = circle;
  expect(await isAbort((signal) => signal.reason)).toBe(true);
  expect(await isAbort((signal) => new Error('x', { cause: new Error('y', { cause: signal.reason }) }))).toBe(
    true,
  );
  expect(await isAbort(() => new DOMException('of fetch', 'AbortError'))).toBe(true);
  for (const error of [new Error('the venue is down'), circle, 'text', undefined]) {
    expect(await isAbort(() => error)).toBe(false);
  }
  const early = await keep(
    async () => 1,
    () => Promise.reject(new DOMException('its own', 'AbortError')),
  );
  expect(early.kept).toMatchObject({ isAbort: false });
});
