import { expect } from 'vitest';
import {
  type Database,
  type FillFilter,
  type FillKey,
  listFills,
  listFillsInRange,
  streamFills,
} from '../../src/queries/index.ts';
import type { Fill } from '../../src/schema/index.ts';
import type { TapeFill } from './tape.ts';

/**
 * Reads the stored tape to the end, session by session and pair by pair, by every list and every stream, and compares
 * with the tape: about `most` rows of each.
 */
export async function pageThrough(
  db: Database,
  tape: readonly TapeFill[],
  { limit, most }: { limit: number; most: number },
): Promise<void> {
  let rows = 0;
  for (const [sessionId, fills] of groupBy(tape, 'sessionId')) {
    if (rows >= most) break;
    rows += fills.length;
    const expected = inOrder(fills);
    expect(await readPages((after) => listFills(db, { sessionId, limit, after }))).toEqual(expected);
    expect(await collect(db, { sessionId }, limit)).toEqual(expected);
  }
  const bySymbol = groupBy(tape, 'symbol');
  for (const [symbol, all] of bySymbol) {
    const fills = all.slice(0, Math.ceil(most / bySymbol.size));
    // The end of a range cuts a millisecond neither in two nor off.
    const fromMs = fills[0]?.timestamp ?? 0;
    const toMs = (fills.at(-1)?.timestamp ?? 0) + 1;
    const expected = inOrder(all.filter(({ timestamp }) => timestamp < toMs));
    const range = { symbol, fromMs, toMs };
    expect(await readPages((after) => listFillsInRange(db, { ...range, limit, after }))).toEqual(expected);
    expect(await collect(db, range, limit)).toEqual(expected);
  }
}

async function readPages(list: (after: FillKey | undefined) => Promise<Fill[]>): Promise<string[]> {
  const ids: string[] = [];
  let after: FillKey | undefined;
  do {
    const page = await list(after);
    for (const { id } of page) ids.push(id);
    after = page.at(-1);
  } while (after !== undefined && ids.length <= 100_000);
  return ids;
}

async function collect(db: Database, filter: FillFilter, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of streamFills(db, { ...filter, pageSize })) ids.push(id);
  return ids;
}

function groupBy(tape: readonly TapeFill[], key: 'sessionId' | 'symbol'): Map<string, TapeFill[]> {
  const groups = new Map<string, TapeFill[]>();
  for (const fill of tape) {
    const group = groups.get(fill[key]);
    if (group === undefined) groups.set(fill[key], [fill]);
    else group.push(fill);
  }
  return groups;
}

const inOrder = (fills: readonly TapeFill[]): string[] =>
  fills.toSorted((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
