import { setTimeout as sleep } from 'node:timers/promises';
import type { WaitSummary } from '../../src/migrate/canary/histogram.ts';
import { rowCount } from './live-database.ts';
import type { Neighbour } from './neighbours.ts';
import { startTrading } from './trading.ts';
import type { Done, Way } from './ways.ts';

/** So long the same load runs without the work. */
const idleMs = 10_000;

export interface UnderLoad extends Done {
  readonly idle: WaitSummary;
  readonly during: WaitSummary;
  /** What each neighbour says that it has done. */
  readonly beside: readonly string[];
}

/** Runs the work while readers and writers go on, and the neighbours, who are there before it begins. */
export async function measureUnderLoad(
  url: string,
  way: Way,
  neighbours: readonly Neighbour[] = [],
  rows: number = rowCount,
): Promise<UnderLoad> {
  const trading = await startTrading(url, rows);
  const enough = new AbortController();
  try {
    await sleep(idleMs);
    const idle = trading.takeWaits();
    const beside = Promise.all(neighbours.map((neighbour) => neighbour(url, enough.signal)));
    // Their failure is seen below; until then nobody listens.
    beside.catch(() => {});
    const done = await way(url, () => void trading.takeWaits());
    const during = trading.takeWaits();
    enough.abort();
    return { ...done, idle, during, beside: await beside };
  } finally {
    enough.abort();
    await trading.stop();
  }
}
