import type { NewFill } from '../../schema/index.ts';
import { type EncodedFill, type EncodedValue, fillColumns } from './fill-input.ts';

const reader = (key: keyof NewFill) => {
  const at = fillColumns.findIndex((column) => column.key === key);
  return (values: EncodedFill): EncodedValue => values[at] ?? null;
};
const id = reader('id');
const sessionId = reader('sessionId');
const orderId = reader('orderId');
const symbol = reader('symbol');
const timestamp = reader('timestamp');
const price = reader('price');
const size = reader('size');
const amount = reader('amount');
const tradeId = reader('tradeId');
const execId = reader('execId');

const isIdentified = (values: EncodedFill): boolean =>
  symbol(values) !== null &&
  timestamp(values) !== null &&
  price(values) !== null &&
  (size(values) ?? amount(values)) !== null;

/**
 * What is compared, one after the other: of `fillIdentity` all that is text or an integer, and the id of fills that have
 * no identity. Prices and sizes are left out: only the server rounds them as their column does.
 */
const keys: readonly ((values: EncodedFill) => string | number)[] = [
  (values) => Number(timestamp(values)),
  (values) => String(orderId(values) ?? ''),
  (values) => String(sessionId(values) ?? ''),
  (values) => String(symbol(values) ?? ''),
  (values) => String(execId(values) ?? tradeId(values) ?? ''),
  (values) => (isIdentified(values) ? '' : String(id(values))),
];

/**
 * Fills in the order in which a statement inserts them: by the identity of the execution, so that two processes that
 * insert the same fills wait for one another in the same order, and not in a circle. Fills that are equal in `keys`, as
 * those of one identity are, stay in the order of the input: the first of them is the one that is stored. (Two that
 * differ in nothing but price or size may still meet another process in a circle. That is a deadlock, and tried again.)
 *
 * Sorted here because most input is in order already, which is seen at once; the server would copy every row for it
 * (85 ms of 3.4 s for 100,000).
 */
export function inInsertionOrder<F extends { readonly values: EncodedFill }>(
  fills: readonly F[],
): readonly F[] {
  const isInOrder = fills.every((fill, i) => {
    const before = fills[i - 1];
    return before === undefined || compare(before.values, fill.values) <= 0;
  });
  return isInOrder ? fills : fills.toSorted((a, b) => compare(a.values, b.values));
}

function compare(a: EncodedFill, b: EncodedFill): number {
  for (const key of keys) {
    const x = key(a);
    const y = key(b);
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
