import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import type { Sql } from 'postgres';

const folder = new URL('../../../shared/data/', import.meta.url);

/** The tapes: real trades of real exchanges, as they were delivered. */
export type TapeName = 'multi-pair-fills' | 'redelivered-fills';

/** True if the tapes are on this machine; they are not part of the project. */
export const hasTapes = existsSync(new URL('multi-pair-fills.ndjson.gz', folder));

/** For the name of a test that needs them, so that a skipped one says why. */
export const needsTapes = hasTapes ? '' : ' (skipped: ../shared/data is not here)';

/** A trade of a tape as a fill: prices and sizes are the exact decimals that the venue sent. */
export interface TapeFill {
  /** The delivery: a tape and a line of it. A trade that was delivered twice comes with two ids. */
  readonly id: string;
  readonly sessionId: string;
  readonly orderId: string | null;
  readonly symbol: string;
  readonly side: string;
  readonly price: string;
  readonly size: string;
  /** The venue's id of the execution, in the venue's letters: an integer, a UUID, hex, text. */
  readonly tradeId: string | null;
  readonly timestamp: number;
}

/** What a line of a tape holds of interest here. */
interface TapeLine {
  readonly symbol: string;
  readonly timestamp: number;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  readonly tradeid: string | null;
  readonly orderid?: string;
  readonly exchange: string;
}

/** A session trades one venue for ten seconds, so that a tape gives many sessions of many sizes. */
const sessionLengthMs = 10_000;

/** Streams a tape, line by line, in its order. */
export async function* readTape(name: TapeName): AsyncGenerator<TapeFill> {
  const file = createReadStream(fileURLToPath(new URL(`${name}.ndjson.gz`, folder)));
  const lines = createInterface({ input: file.pipe(createGunzip()) });
  let number = 0;
  try {
    for await (const text of lines) yield toFill(JSON.parse(text), `${name}-${++number}`);
  } finally {
    file.destroy();
  }
}

const toFill = (line: TapeLine, id: string): TapeFill => ({
  id,
  sessionId: `${line.exchange}-${Math.floor(line.timestamp / sessionLengthMs)}`,
  orderId: line.orderid ?? null,
  symbol: line.symbol,
  side: line.side,
  price: line.price,
  size: line.size,
  tradeId: line.tradeid,
  timestamp: line.timestamp,
});

/** The first `limit` fills of a tape, or all. */
export async function loadTape(name: TapeName, limit = Number.POSITIVE_INFINITY): Promise<TapeFill[]> {
  const fills: TapeFill[] = [];
  for await (const fill of readTape(name)) {
    if (fills.length >= limit) break;
    fills.push(fill);
  }
  return fills;
}

/** Inserts the sessions and orders that fills refer to, each with the pairs that it trades. */
export async function insertParents(
  sql: Sql,
  fills: readonly { readonly sessionId: string; readonly orderId: string | null; readonly symbol: string }[],
): Promise<void> {
  const pairs = new Map<string, Set<string>>();
  const orders = new Map<string, { sessionId: string; symbol: string }>();
  for (const { sessionId, orderId, symbol } of fills) {
    pairs.set(sessionId, (pairs.get(sessionId) ?? new Set()).add(symbol));
    if (orderId !== null) orders.set(orderId, { sessionId, symbol });
  }
  const sessions = [...pairs].map(([id, symbols]) => ({ id, pairs: [...symbols] }));
  await sql`
    insert into sessions (id, pairs)
    select id, pairs from jsonb_to_recordset(${JSON.stringify(sessions)}::text::jsonb) as s (id text, pairs jsonb)
    on conflict do nothing`;
  const rows = [...orders].map(([id, order]) => ({ id, ...order }));
  await sql`
    insert into orders (id, sessionid, symbol)
    select id, "sessionId", symbol
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as o (id text, "sessionId" text, symbol text)
    on conflict do nothing`;
}

/** The same elements in an order of chance, the same one for the same seed. */
export function shuffle<T>(elements: readonly T[], seed: number): T[] {
  let state = seed;
  // mulberry32: small, and good enough to mix.
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const shuffled = [...elements];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
  }
  return shuffled;
}
