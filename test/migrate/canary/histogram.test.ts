import { expect, test } from 'vitest';
import { WaitHistogram } from '../../../src/migrate/canary/histogram.ts';

/** A bucket ends at most so much above what is in it. */
const width = 2 ** (1 / 16);

test('of nothing there is no summary', () => {
  expect(new WaitHistogram().summarize()).toBeUndefined();
});

test('of one wait, every share is that wait', () => {
  const histogram = new WaitHistogram();
  histogram.record(12.5);
  expect(histogram.summarize()).toEqual({
    count: 1,
    p50Ms: 12.5,
    p99Ms: 12.5,
    p999Ms: 12.5,
    longestMs: 12.5,
  });
});

test('shares are those of the sorted waits, rounded up by less than a bucket', () => {
  const histogram = new WaitHistogram();
  // In no order, 0.1 to 1,000 ms.
  for (let n = 1; n <= 10_000; n++) histogram.record(((n * 7_919) % 10_000) / 10 + 0.1);
  const summary = histogram.summarize();
  for (const [found, exact] of [
    [summary?.p50Ms, 500],
    [summary?.p99Ms, 990],
    [summary?.p999Ms, 999],
  ] as const) {
    expect(found).toBeGreaterThanOrEqual(exact);
    expect(found).toBeLessThan(exact * width);
  }
  expect(summary).toMatchObject({ count: 10_000, longestMs: 1_000 });
});

test('what no clock measures and what no run waits for is counted all the same', () => {
  const histogram = new WaitHistogram();
  for (const ms of [0, -1, 1e-9, 86_400_000]) histogram.record(ms);
  expect(histogram.summarize()).toMatchObject({ count: 4, p50Ms: 0.01, longestMs: 86_400_000 });
});
