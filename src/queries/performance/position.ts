import {
  absolute,
  add,
  compare,
  type Decimal,
  divide,
  multiply,
  negate,
  signOf,
  subtract,
  zero,
} from './decimal.ts';

/** Which cost leaves a position when part of it is closed: that of its oldest part, or the average. */
export type PnlMethod = 'fifo' | 'average';

/** Decimals of a cost that has to be divided, and of an average cost. */
export const quotientScale = 18;

/**
 * What trades of one pair, in their order, have come to. Long is above zero, short below it, and the cost has the sign of
 * the position: paid for a long one, received for a short one.
 *
 * Realised P&L is not added up but derived, as cash flow + cost. So cash flow + position × mark = realised + unrealised at
 * any mark, to the last digit, whatever the method and however it rounds.
 */
export class Position {
  /** In the base asset. */
  quantity = zero;
  /** In the quote asset. */
  cost = zero;
  /** Received for sales less paid for purchases, in the quote asset. */
  cashFlow = zero;
  readonly #lots: Lots | undefined;

  constructor(method: PnlMethod) {
    this.#lots = method === 'fifo' ? new Lots() : undefined;
  }

  get realizedPnl(): Decimal {
    return add(this.cashFlow, this.cost);
  }

  unrealizedPnl(mark: Decimal): Decimal {
    return subtract(multiply(this.quantity, mark), this.cost);
  }

  /** Null where nothing is open. */
  get averageCost(): Decimal | null {
    return signOf(this.quantity) === 0 ? null : divide(this.cost, this.quantity, quotientScale);
  }

  /** A purchase of a quantity, or with a quantity below zero a sale. */
  trade(quantity: Decimal, price: Decimal): void {
    this.cashFlow = subtract(this.cashFlow, multiply(quantity, price));
    const isOpposed = signOf(quantity) === -signOf(this.quantity);
    const opened = isOpposed ? add(quantity, this.#close(quantity)) : quantity;
    if (signOf(opened) === 0) return;
    this.#lots?.add(opened, price);
    this.quantity = add(this.quantity, opened);
    this.cost = add(this.cost, multiply(opened, price));
  }

  /** Closes as much as there is, and gives it: the rest of the trade opens a position the other way. */
  #close(quantity: Decimal): Decimal {
    const isAll = compare(absolute(quantity), absolute(this.quantity)) >= 0;
    const closed = isAll ? this.quantity : negate(quantity);
    // Of all of it the cost is all of it, so that what was rounded away before comes back.
    const average = () =>
      isAll ? this.cost : divide(multiply(this.cost, closed), this.quantity, quotientScale);
    this.cost = subtract(this.cost, this.#lots?.take(closed) ?? average());
    this.quantity = subtract(this.quantity, closed);
    return closed;
  }
}

interface Lot {
  quantity: Decimal;
  readonly price: Decimal;
  next: Lot | undefined;
}

/**
 * What is open, the oldest first. Neighbours of one price are one lot, which changes no result: of equal prices it makes
 * no difference which is closed first. A list of links, because an array would be moved at each lot that is closed.
 */
class Lots {
  #first: Lot | undefined;
  #last: Lot | undefined;

  add(quantity: Decimal, price: Decimal): void {
    const last = this.#last;
    if (last !== undefined && compare(last.price, price) === 0) {
      last.quantity = add(last.quantity, quantity);
      return;
    }
    this.#last = { quantity, price, next: undefined };
    if (last === undefined) this.#first = this.#last;
    else last.next = this.#last;
  }

  /** Takes a quantity, which must not be more than is open, off the front, and gives what it had cost. */
  take(quantity: Decimal): Decimal {
    let cost = zero;
    let rest = quantity;
    for (let lot = this.#first; lot !== undefined && signOf(rest) !== 0; lot = this.#first) {
      if (compare(absolute(rest), absolute(lot.quantity)) < 0) {
        lot.quantity = subtract(lot.quantity, rest);
        return add(cost, multiply(rest, lot.price));
      }
      cost = add(cost, multiply(lot.quantity, lot.price));
      rest = subtract(rest, lot.quantity);
      this.#first = lot.next;
      if (this.#first === undefined) this.#last = undefined;
    }
    return cost;
  }
}
