/** Fees in one currency. A rebate is negative. */
export interface FeeTotal {
  /** As the venue names it; null where only the amount was stored. */
  readonly currency: string | null;
  readonly amount: string;
}

/** What trading one pair came to. All amounts are exact decimals, as strings. */
export interface PairPerformance {
  /** Null for fills that name no pair. */
  readonly symbol: string | null;
  /** Fills that count: `buyCount + sellCount`. */
  readonly fillCount: number;
  readonly buyCount: number;
  readonly sellCount: number;
  /** Fills that are in none of the sums, because they lack a side, a price or a size. Their fees are counted. */
  readonly excludedCount: number;
  /** Bought and sold, in the base asset. */
  readonly baseVolume: string;
  readonly buyBaseVolume: string;
  readonly sellBaseVolume: string;
  /** Price times size, in the quote asset. */
  readonly quoteVolume: string;
  readonly buyQuoteVolume: string;
  readonly sellQuoteVolume: string;
  /** Volume-weighted average price: quote volume / base volume, to 18 decimals. Null where nothing was traded. */
  readonly buyVwap: string | null;
  readonly sellVwap: string | null;
  /** Bought less sold, in the base asset. */
  readonly netPosition: string;
  /** Received for sales less paid for purchases, in the quote asset, without fees. */
  readonly cashFlow: string;
  /** In the quote asset, without fees, to 18 decimals: see `listPairPerformance` for the method. */
  readonly realizedPnl: string;
  /** By currency, in the order of their names, the unnamed one last. Never added up across currencies. */
  readonly fees: readonly FeeTotal[];
  /** Fee entries that are no decimal, and so in none of the totals. */
  readonly unreadableFeeCount: number;
}

/** Which fills: of a session, or of all sessions with `fromMs <= timestamp < toMs`; not both. */
export type PerformanceFilter =
  | { readonly sessionId: string; readonly fromMs?: undefined; readonly toMs?: undefined }
  | { readonly fromMs: number; readonly toMs: number; readonly sessionId?: undefined };
