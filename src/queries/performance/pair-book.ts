import { add, type Decimal, multiply, negate, parseDecimal, signOf, zero } from './decimal.ts';
import type { PairFill } from './pair-fills.ts';
import { type PnlMethod, Position } from './position.ts';
import type { FeeRate } from './rates.ts';

/** The fills of one pair, in their order, counted one after the other. */
export class PairBook {
  readonly symbol: string;
  readonly position: Position;
  /** In the quote asset; a rebate is negative. */
  fees = zero;
  fillCount = 0;
  excludedCount = 0;
  unreadableFeeCount = 0;
  /** Of the last fill that counts. */
  lastPrice: Decimal | undefined;
  readonly #feeRate: FeeRate;

  constructor(symbol: string, method: PnlMethod, feeRate: FeeRate) {
    this.symbol = symbol;
    this.position = new Position(method);
    this.#feeRate = feeRate;
  }

  count({ side, price, size, fees }: PairFill): void {
    for (const [currency, amount] of fees ?? []) this.#countFee(currency ?? '', amount);
    // What is no decimal is missing, infinite or NaN.
    const at = price === null ? undefined : parseDecimal(price);
    const quantity = size === null ? undefined : parseDecimal(size);
    if (at === undefined || quantity === undefined || (side !== 'buy' && side !== 'sell')) {
      this.excludedCount++;
      return;
    }
    this.position.trade(side === 'buy' ? quantity : negate(quantity), at);
    this.fillCount++;
    this.lastPrice = at;
  }

  #countFee(currency: string, text: string): void {
    const amount = parseDecimal(text);
    if (amount === undefined) this.unreadableFeeCount++;
    // Nothing is nothing in any currency.
    else if (signOf(amount) !== 0) {
      this.fees = add(this.fees, multiply(amount, this.#feeRate(currency, this.symbol)));
    }
  }
}
