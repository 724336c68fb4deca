import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFill } from '../../src/queries/fill-input.ts';
import { inInsertionOrder } from '../../src/queries/fill-order.ts';
import type { FillInput } from '../../src/queries/index.ts';

const order = (fills: readonly FillInput[]): FillInput[] =>
  inInsertionOrder(fills.map((fill, i) => ({ fill, values: encodeFill(fill, i) }))).map(({ fill }) => fill);

const text = fc.constantFrom(undefined, 'a', 'B', 'b', 'é', '\u{1f600}');
const fill = fc.record({
  id: fc.uuid(),
  sessionId: text,
  orderId: text,
  symbol: text,
  tradeId: fc.constantFrom(undefined, 9, 10n, 'x'),
  price: fc.constantFrom(undefined, '1.0', 2, 0.1),
  size: fc.constantFrom(undefined, 1),
  amount: fc.constantFrom(undefined, 2),
  timestamp: fc.constantFrom(undefined, 1, 2),
});

/** What no two rows of the table share: the identity of the execution; the id where a part of that is unknown. */
function identityOf({ id, sessionId = '', orderId = '', tradeId = '', ...fill }: FillInput): string {
  const known = [fill.symbol, fill.timestamp, fill.price, fill.size ?? fill.amount];
  return known.includes(undefined) ? id : [sessionId, orderId, tradeId, ...known].join('|');
}

test('fills of different identities go in in one order, however they come', () => {
  const shuffles = fc
    .uniqueArray(fill, { selector: identityOf })
    .chain((fills) => fc.tuple(fc.constant(fills), fc.shuffledSubarray(fills, { minLength: fills.length })));
  fc.assert(
    fc.property(shuffles, ([fills, shuffled]) => {
      expect(order(shuffled)).toEqual(order(fills));
    }),
  );
});

test('fills of one identity stay in the order of the input', () => {
  const first = { id: 'z', symbol: 'X', timestamp: 2, price: '0.10', size: 1, tradeId: 7 };
  const second = { ...first, id: 'a', price: 0.1, tradeId: 7n };
  const third = { ...first, id: 'b', price: '1e-1', size: undefined, amount: '1.0', tradeId: '7' };
  const earlier = { ...first, id: 'y', timestamp: 1 };
  expect(order([first, second, third, earlier])).toEqual([earlier, first, second, third]);
  expect(order([third, earlier, first, second])).toEqual([earlier, third, first, second]);
});

test('the array of a batch that is in order already is the one that is given back', () => {
  const fills = [1, 2, 3].map((timestamp) => ({ values: encodeFill({ id: `${timestamp}`, timestamp }, 0) }));
  expect(inInsertionOrder(fills)).toBe(fills);
  expect(inInsertionOrder([])).toEqual([]);
});
