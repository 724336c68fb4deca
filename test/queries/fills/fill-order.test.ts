import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFill } from '../../../src/queries/fills/fill-input.ts';
import { inInsertionOrder } from '../../../src/queries/fills/fill-order.ts';
import type { FillInput } from '../../../src/queries/index.ts';

const order = (fills: readonly FillInput[]): FillInput[] =>
  inInsertionOrder(fills.map((fill, i) => ({ fill, values: encodeFill(fill, i) }))).map(({ fill }) => fill);

const text = fc.constantFrom(undefined, 'a', 'B', 'b', 'é', '\u{1f600}');
const fill = fc.record({
  id: fc.uuid(),
  sessionId: text,
  orderId: text,
  symbol: text,
  side: fc.constantFrom(undefined, 'buy', 'sell'),
  tradeId: fc.constantFrom(undefined, 9, 10n, 'x'),
  price: fc.constantFrom(undefined, '1.0', 2, 0.1),
  size: fc.constantFrom(undefined, 1),
  amount: fc.constantFrom(undefined, 2),
  timestamp: fc.constantFrom(undefined, 1, 2),
});

/** The text and integers of the identity, and the id where a part of the identity is unknown. */
function keyOf({
  id,
  sessionId = '',
  orderId = '',
  symbol,
  side = '',
  timestamp,
  tradeId = '',
  ...fill
}: FillInput): string {
  const isIdentified = ![symbol, timestamp, fill.price, fill.size ?? fill.amount].includes(undefined);
  return [sessionId, orderId, symbol ?? '', side, timestamp ?? '', tradeId, isIdentified ? '' : id].join('|');
}

test('fills of different identities go in in one order, however they come', () => {
  const shuffles = fc
    .uniqueArray(fill, { selector: keyOf })
    .chain((fills) => fc.tuple(fc.constant(fills), fc.shuffledSubarray(fills, { minLength: fills.length })));
  fc.assert(
    fc.property(shuffles, ([fills, shuffled]) => {
      expect(order(shuffled)).toEqual(order(fills));
    }),
  );
});

test('fills of one identity stay in the order of the input', () => {
  const first = { id: 'z', symbol: 'X', timestamp: 2, price: '0.0000758291790', size: 1, tradeId: 7 };
  // The same float4 to the server, which rounds once; another one to JavaScript, which rounds to a double first.
  const second = { ...first, id: 'a', price: '0.00007582917533', tradeId: 7n };
  const third = { ...first, id: 'b', price: '7.5829179e-5', size: undefined, amount: '1.0', tradeId: '7' };
  const sell = { ...first, id: 'c', side: 'sell' };
  const inOtherLetters = { ...sell, id: 'd', side: 'SELL' };
  const earlier = { ...first, id: 'y', timestamp: 1 };
  expect(order([first, second, third, earlier])).toEqual([earlier, first, second, third]);
  expect(order([third, earlier, first, second])).toEqual([earlier, third, first, second]);
  expect(order([sell, inOtherLetters, first])).toEqual([first, sell, inOtherLetters]);
  expect(order([inOtherLetters, sell, first])).toEqual([first, inOtherLetters, sell]);
});

test('the array of a batch that is in order already is the one that is given back', () => {
  const fills = [1, 2, 3].map((timestamp) => ({ values: encodeFill({ id: `${timestamp}`, timestamp }, 0) }));
  expect(inInsertionOrder(fills)).toBe(fills);
  expect(inInsertionOrder([])).toEqual([]);
});
