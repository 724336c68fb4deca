import { columnNamesOf, fillIdentityParts } from '../../schema/fill-identity.ts';
import { type EncodedFill, type EncodedValue, fillColumns } from './fill-input.ts';

type Key = (values: EncodedFill) => string | number;

const positionOf = (name: string): number => fillColumns.findIndex((column) => column.name === name);

/** The first value of one or two columns. */
function readerOf(names: readonly string[]): (values: EncodedFill) => EncodedValue {
  const [first = -1, second = -1, third] = names.map(positionOf);
  if (third !== undefined) throw new TypeError(`more than two columns: ${names.join(', ')}`);
  return (values) => values[first] ?? values[second] ?? null;
}

const parts = fillIdentityParts.map((part) => {
  const types = columnNamesOf(part).map((name) => fillColumns[positionOf(name)]?.type);
  return {
    ...part,
    read: readerOf(columnNamesOf(part)),
    isInteger: types.every((type) => type === 'bigint'),
    isRounded: types.includes('real'),
  };
});

/** Integers by their size, all else as text. A side in other letters is the same side, as it is to the index. */
function keyOf({ read, isInteger, ignoresCase }: (typeof parts)[number]): Key {
  if (isInteger) return (values) => Number(read(values));
  if (ignoresCase) return (values) => String(read(values) ?? '').toLowerCase();
  return (values) => String(read(values) ?? '');
}

const required = parts.filter(({ nullIsEqual }) => nullIsEqual !== true).map(({ read }) => read);
const isIdentified = (values: EncodedFill): boolean => required.every((read) => read(values) !== null);
const id = readerOf(['id']);

/**
 * What is compared, one after the other: of `fillIdentityParts` all that is text or an integer, and the id of fills that
 * have no identity. Prices and sizes are left out: only the server rounds them as their column does. The time comes
 * first, because most input is in its order.
 */
const compared = parts.filter(({ isRounded }) => !isRounded);
const keys: readonly Key[] = [
  ...compared.filter(({ isInteger }) => isInteger).map(keyOf),
  ...compared.filter(({ isInteger }) => !isInteger).map(keyOf),
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
