import type { OrderInput } from '../../src/queries/index.ts';
import { shuffle } from './tape.ts';

/** The session of all of them. */
export const versionedSession = { id: 's', pairs: ['A', 'B'] };

/**
 * Deliveries of some orders as one service of several hears them: each order in versions of its own age, most of them more
 * than once, in an order of chance. An id and an age make one content, whoever delivers it.
 */
export function deliveriesOf(orders: number, versions: number, seed: number): OrderInput[] {
  const all = Array.from({ length: orders * versions }, (_, i) =>
    versionOf(i % orders, Math.floor(i / orders)),
  );
  const again = all.filter((_, i) => (i * 31 + seed) % 3 === 0);
  return shuffle([...all.filter((_, i) => (i + seed) % 4 !== 0), ...again], seed);
}

/** What is stored of an order in the end. */
export const versionOf = (order: number, version: number): OrderInput => ({
  id: `order ${(order * 7919) % 10_007}`,
  sessionId: versionedSession.id,
  symbol: (order + version) % 2 === 0 ? 'A' : 'B',
  status: `version ${version}`,
  filledSize: version / 8,
  lastUpdated: 1000 + version * 10,
  ...(version % 2 === 0 ? {} : { purpose: `purpose ${version}` }),
});

/** The newest version that is delivered under any of the seeds. */
export function newestOf(deliveries: readonly OrderInput[]): Map<string, OrderInput> {
  const newest = new Map<string, OrderInput>();
  for (const row of deliveries) {
    const other = newest.get(row.id);
    if (other === undefined || Number(row.lastUpdated) > Number(other.lastUpdated)) newest.set(row.id, row);
  }
  return newest;
}
