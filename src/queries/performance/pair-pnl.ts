import { checkInteger, checkLimit, checkOptionalText, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { type Decimal, formatDecimal } from './decimal.ts';
import { PairBook } from './pair-book.ts';
import { createPnlReader, type PnlScope, type ScopeValues } from './pair-fills.ts';
import type { PnlMethod } from './position.ts';
import { checkDecimals, checkFeeRates, type FeeRate, type FeeRates } from './rates.ts';

/** Profit and loss of one pair. Amounts are exact decimals, as strings, in the quote asset where nothing else is said. */
export interface PairPnl {
  /** Null for fills that name no pair: they are counted as excluded, and in no sum. */
  readonly symbol: string | null;
  /** Fills that count. */
  readonly fillCount: number;
  /**
   * Fills that do not, because they lack a side, a price, a size, a timestamp or a pair. The fees of those that have pair
   * and timestamp are in `fees`.
   */
  readonly excludedCount: number;
  /** Bought less sold, in the base asset: long above zero, short below. */
  readonly position: string;
  /** What the open position was bought for; of a short one what it was sold for, below zero. */
  readonly positionCost: string;
  /** `positionCost / position`, to 18 decimals. Null where nothing is open. */
  readonly averageCost: string | null;
  /** Received for sales less paid for purchases, without fees. */
  readonly cashFlow: string;
  /** Of what was closed, without fees: `cashFlow + positionCost`. */
  readonly realizedPnl: string;
  /** `position × mark − positionCost`. Null without a mark, unless nothing is open: then it is 0. */
  readonly unrealizedPnl: string | null;
  /** All fees, at the given rates. Paid above zero, a rebate is below. */
  readonly fees: string;
  /** Fee entries that are no decimal, and so not in `fees`. */
  readonly unreadableFeeCount: number;
}

const reader = createPnlReader('listPairPnl');

const startListPairPnl = defineCall<OptionsOf<typeof listPairPnl>>('listPairPnl', 'replica', {
  method: true,
  sessionId: true,
  exchange: true,
  marks: true,
  feeRates: true,
  atMs: true,
  limit: true,
  after: true,
});

/**
 * Profit and loss of each pair, by FIFO or by running average cost, of a session, of an exchange (the sessions that say
 * so) or of all; in the order of the symbols, fills without one last. With `atMs` as of that instant: of the fills with
 * `timestamp <= atMs`; a pair that was traded only later has a row of zeros. `after: page.at(-1)` gives the next page.
 *
 * **It closes, to the last digit:** `cashFlow + position × mark = realizedPnl + unrealizedPnl`, and `fees` are in neither:
 * take them off once. Sizes and prices are the shortest decimals that the stored float4 values stand for, as in
 * {@link listPairPerformance}, and nothing is rounded, but for one quotient, below.
 *
 * **Method.** Fills are taken in the order of `timestamp`, then `id`. One in the direction of the position adds to it, and
 * `size × price` to its cost. One against it closes, and the cost of what is closed leaves: with `'fifo'` that of the
 * oldest part (IAS 2.27, first-in first-out); with `'average'` `cost × closed / position` (the same, weighted average,
 * worked out at each fill), rounded to 18 decimals, halves away from zero. What is rounded away stays in the cost of the
 * rest, and comes out when all is closed. One that is larger than the position closes it, and what is left opens a
 * position the other way at its price. Zero changes nothing; a size below zero is a trade of the other side.
 *
 * An example: bought 2 at 100 and 1 at 106, sold 2 at 105, sold 2 at 110. With FIFO the first sale costs 2 × 100 and
 * leaves 1 at 106, realised 210 − 200 = 10. The second closes that, 110 − 106 = 4, and opens a short of 1 at 110. So
 * `realizedPnl` = 14, `position` = −1, `positionCost` = −110. With average cost, 306 / 3 = 102: 2 × (105 − 102) = 6, then
 * 110 − 102 = 8, which here is 14, too. `cashFlow` = 430 − 306 = 124. At a mark of 108: `unrealizedPnl` = −108 + 110 = 2,
 * and 124 − 108 = 14 + 2. The tests hold FIFO against investopedia.com/professionals/questionoftheweek/cfa/110706.asp and
 * average cost against example 3 of HMRC's helpsheet HS284.
 *
 * **Fees** are read as {@link listPairPerformance} says, and turned into the quote asset at `feeRates`. The quote of a
 * pair that is called `BASE/QUOTE` needs no rate; the base, a third currency, a quote that the name does not tell
 * (`XBTUSDT`) and fees without a currency (`''`) do. A fee in the base is a cost and does not change `position`.
 *
 * **Memory and consistency.** Holds 10,000 fills at a time and, with FIFO, the lots that are open, neighbours of one price
 * as one; never all fills. One statement finds the pairs, then the fills of each pair are read in statements of 1,000 and
 * then 10,000. So a pair of less than 1,000 fills is of one instant; for more, and for all pairs as one, call it in a
 * transaction of `repeatable read`. Elsewhere a fill that is stored meanwhile counts if it lies ahead, and each row closes
 * all the same.
 *
 * Indexes: `idx_fills_symbol_timestamp`, walked from page to page; for a session `idx_fills_session_symbol` (or
 * `idx_fills_sessionid`), whose fills of the pair are read and sorted for each page. An exchange reads all fills of its
 * pairs, and finds its own by their sessions; its pairs by `idx_sessions_exchange` and the indexes of a session. PostgreSQL 15
 * with fresh statistics was seen to scan 100,000 fills instead for a session; 18 was not.
 *
 * @throws {InvalidArgumentError} a fee is in a currency without a rate, which is named; a session and an exchange are
 * given; a mark or rate is no decimal; `limit` is not from 1 to 1000.
 * @throws {DatabaseError}
 * @example
 * const marks = { 'BTC/USDT': '61837.63' };
 * const feeRates = { BTC: '61837.63', BNB: '571.2' };
 * for (const pnl of await listPairPnl(db, { sessionId: 's-1', method: 'fifo', marks, feeRates })) {
 *   console.log(pnl.symbol, pnl.realizedPnl, pnl.unrealizedPnl ?? 'no mark', pnl.fees, pnl.position);
 * }
 */
export async function listPairPnl(
  db: Database,
  options: CallOptions &
    PnlScope & {
      readonly method: PnlMethod;
      /** What one unit of the base asset is worth now, by pair. Decimals as text. */
      readonly marks?: Readonly<Record<string, string>> | undefined;
      readonly feeRates?: FeeRates | undefined;
      /** Epoch ms; without it, all fills. */
      readonly atMs?: number | undefined;
      /** 1 to 1000 pairs, 100 unless given. */
      readonly limit?: number | undefined;
      /** The last row of the page before. */
      readonly after?: Pick<PairPnl, 'symbol'> | undefined;
    },
): Promise<PairPnl[]> {
  const call = startListPairPnl(db, options);
  const { after } = options;
  const method = checkMethod(options.method);
  const atMs = options.atMs === undefined ? undefined : checkInteger('atMs', options.atMs);
  const scope = { ...checkScope(options), atMs };
  const marks = checkDecimals('marks', options.marks);
  const feeRate = checkFeeRates(options.feeRates);
  const limit = checkLimit(options.limit);
  // The pair that is null comes last.
  if (after?.symbol === null) return [];
  const afterSymbol = after === undefined ? undefined : checkText('after.symbol', after?.symbol);
  const pairs = await reader.listPairs(call, { ...scope, afterSymbol, limit });
  const rows: PairPnl[] = [];
  for (const { symbol, unplacedCount } of pairs) {
    const book = await readBook(call, { scope, symbol, method, feeRate });
    book.excludedCount += unplacedCount;
    rows.push(toRow(symbol, book, symbol === null ? undefined : marks.get(symbol)));
  }
  return rows;
}

export function checkMethod(method: unknown): PnlMethod {
  if (method === 'fifo' || method === 'average') return method;
  throw new InvalidArgumentError("method must be 'fifo' or 'average'");
}

export function checkScope({ sessionId, exchange }: PnlScope): ScopeValues {
  if (sessionId !== undefined && exchange !== undefined) {
    throw new InvalidArgumentError('give either sessionId or exchange, or neither for all fills');
  }
  return {
    sessionId: checkOptionalText('sessionId', sessionId),
    exchange: checkOptionalText('exchange', exchange),
  };
}

interface Reading {
  readonly scope: ScopeValues;
  readonly symbol: string | null;
  readonly method: PnlMethod;
  readonly feeRate: FeeRate;
}

async function readBook(db: Database, { scope, symbol, method, feeRate }: Reading): Promise<PairBook> {
  const book = new PairBook(symbol ?? '', method, feeRate);
  if (symbol === null) return book;
  for await (const page of reader.readFills(db, { ...scope, symbol })) {
    for (const fill of page) book.count(fill);
  }
  return book;
}

function toRow(symbol: string | null, book: PairBook, mark: Decimal | undefined): PairPnl {
  const { position, averageCost } = { position: book.position, averageCost: book.position.averageCost };
  const isFlat = averageCost === null;
  return {
    symbol,
    fillCount: book.fillCount,
    excludedCount: book.excludedCount,
    position: formatDecimal(position.quantity),
    positionCost: formatDecimal(position.cost),
    averageCost: isFlat ? null : formatDecimal(averageCost),
    cashFlow: formatDecimal(position.cashFlow),
    realizedPnl: formatDecimal(position.realizedPnl),
    unrealizedPnl: isFlat ? '0' : mark === undefined ? null : formatDecimal(position.unrealizedPnl(mark)),
    fees: formatDecimal(book.fees),
    unreadableFeeCount: book.unreadableFeeCount,
  };
}
