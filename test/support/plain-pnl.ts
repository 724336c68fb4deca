import { formatDecimal, multiply, one, quotient } from './decimal.ts';

/** A trade as P&L sees it, in units of 1e-40: bought above zero, sold below. */
export interface PlainTrade {
  readonly quantity: bigint;
  readonly price: bigint;
}

/** What trades came to, in units of 1e-40. */
export interface PlainPnl {
  readonly position: bigint;
  readonly cost: bigint;
  readonly cashFlow: bigint;
  readonly realized: bigint;
}

const absolute = (value: bigint) => (value < 0n ? -value : value);
const smaller = (a: bigint, b: bigint) => (absolute(a) < absolute(b) ? a : b);

/** P&L once more and plainly: the gain of each part that is closed is worked out and added up, all lots are kept. */
export function plainPnl(trades: readonly PlainTrade[], method: 'fifo' | 'average'): PlainPnl {
  let lots: { quantity: bigint; cost: bigint; price: bigint }[] = [];
  let cashFlow = 0n;
  let realized = 0n;
  for (const { quantity, price } of trades) {
    cashFlow -= multiply(quantity, price);
    let rest = quantity;
    for (
      let lot = lots[0];
      lot !== undefined && rest !== 0n && rest < 0n !== lot.quantity < 0n;
      lot = lots[0]
    ) {
      const closed = smaller(-rest, lot.quantity);
      const cost =
        closed === lot.quantity
          ? lot.cost
          : method === 'fifo'
            ? multiply(closed, lot.price)
            : quotient(lot.cost * absolute(closed), absolute(lot.quantity) * one);
      realized += multiply(closed, price) - cost;
      lot.quantity -= closed;
      lot.cost -= cost;
      rest += closed;
      if (lot.quantity === 0n) lots.shift();
    }
    if (rest === 0n) continue;
    lots.push({ quantity: rest, cost: multiply(rest, price), price });
    // The average knows one lot: what is open.
    if (method === 'average')
      lots = [{ quantity: total(lots, 'quantity'), cost: total(lots, 'cost'), price }];
  }
  return { position: total(lots, 'quantity'), cost: total(lots, 'cost'), cashFlow, realized };
}

const total = <K extends string>(lots: readonly { readonly [key in K]: bigint }[], key: K): bigint =>
  lots.reduce((sum, lot) => sum + lot[key], 0n);

/** The same, as a row of `listPairPnl` has it. */
export const toTexts = ({ position, cost, cashFlow, realized }: PlainPnl) => ({
  position: formatDecimal(position),
  positionCost: formatDecimal(cost),
  cashFlow: formatDecimal(cashFlow),
  realizedPnl: formatDecimal(realized),
});
