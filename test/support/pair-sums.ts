import type { PairPerformance } from '../../src/queries/index.ts';
import { formatDecimal, multiply, one, quotient, shortestFloat4 } from './decimal.ts';
import type { TapeFill } from './tape.ts';

/** What `listPairPerformance` says of a pair, as far as the tape knows it. */
export type PairSums = Omit<PairPerformance, 'symbol' | 'excludedCount' | 'fees' | 'unreadableFeeCount'> & {
  readonly symbol: string;
};

/** Computed outside of the database, in whole numbers, from the float4 values that it stores. */
export function sumByPair(tape: readonly TapeFill[]): PairSums[] {
  const pairs = new Map<string, Record<'buy' | 'sell', Side>>();
  for (const { symbol, side, price, size } of tape) {
    const sides = pairs.get(symbol) ?? { buy: emptySide(), sell: emptySide() };
    pairs.set(symbol, sides);
    const sums = side === 'buy' ? sides.buy : sides.sell;
    const base = shortestFloat4(Number(size));
    sums.count++;
    sums.base += base;
    sums.quote += multiply(shortestFloat4(Number(price)), base);
  }
  return [...pairs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, { buy, sell }]) => ({ symbol, ...describe(buy, sell) }));
}

interface Side {
  count: number;
  base: bigint;
  quote: bigint;
}
const emptySide = (): Side => ({ count: 0, base: 0n, quote: 0n });
const vwap = ({ base, quote }: Side) => (base === 0n ? null : formatDecimal(quotient(quote, base)));

function describe(buy: Side, sell: Side): Omit<PairSums, 'symbol'> {
  let matched = buy.base;
  if (sell.base < matched) matched = sell.base;
  // matched × (sell.quote / sell.base − buy.quote / buy.base), over one denominator.
  const realized =
    matched === 0n
      ? 0n
      : quotient(matched * (sell.quote * buy.base - buy.quote * sell.base), one * sell.base * buy.base);
  return {
    fillCount: buy.count + sell.count,
    buyCount: buy.count,
    sellCount: sell.count,
    baseVolume: formatDecimal(buy.base + sell.base),
    buyBaseVolume: formatDecimal(buy.base),
    sellBaseVolume: formatDecimal(sell.base),
    quoteVolume: formatDecimal(buy.quote + sell.quote),
    buyQuoteVolume: formatDecimal(buy.quote),
    sellQuoteVolume: formatDecimal(sell.quote),
    buyVwap: vwap(buy),
    sellVwap: vwap(sell),
    netPosition: formatDecimal(buy.base - sell.base),
    cashFlow: formatDecimal(sell.quote - buy.quote),
    realizedPnl: formatDecimal(realized),
  };
}
