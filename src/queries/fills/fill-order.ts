import type { EncodedValue } from '../core/encode.ts';
import type { EncodedRow } from '../core/row-encoder.ts';
import { type IdentityPart, identityParts } from './fill-identity.ts';

type Reader = (values: EncodedRow) => EncodedValue;
type SortKey = (values: EncodedRow) => string | number;

/** The first of its columns that is not null. */
function readerOf({ reads }: IdentityPart): Reader {
  const places = reads.map(({ at }) => at);
  return (values) => {
    for (const at of places) {
      const value = values[at];
      if (value !== undefined && value !== null) return value;
    }
    return null;
  };
}

const isNumber = ({ reads }: IdentityPart): boolean => reads.every(({ type }) => type === 'bigint');
const isRounded = ({ reads }: IdentityPart): boolean => reads.some(({ type }) => type === 'real');

function sortKeyOf(part: IdentityPart): SortKey {
  const read = readerOf(part);
  if (isNumber(part)) return (values) => Number(read(values));
  if (part.ignoresCase) return (values) => String(read(values) ?? '').toLowerCase();
  return (values) => String(read(values) ?? '');
}

/**
 * What is compared, one after the other: of an identity all that is text or an integer, the time first, because it
 * decides most often; and the id of fills that have no identity. Prices and sizes are left out: only the server rounds
 * them as their column does.
 */
export function sortKeysOf(parts: readonly IdentityPart[]): SortKey[] {
  const needed = parts.filter(({ nullIsEqual }) => !nullIsEqual).map(readerOf);
  const isIdentified = (values: EncodedRow): boolean => needed.every((read) => read(values) !== null);
  const compared = parts.filter((part) => !isRounded(part));
  return [
    ...compared.filter(isNumber).map(sortKeyOf),
    ...compared.filter((part) => !isNumber(part)).map(sortKeyOf),
    (values) => (isIdentified(values) ? '' : String(values[0])),
  ];
}

const keys = sortKeysOf(identityParts);

/**
 * Fills in the order in which a statement inserts them: by the identity of the execution, so that two processes that
 * insert the same fills wait for one another in the same order, and not in a circle. Fills that are equal in `keys`, as
 * those of one identity are, stay in the order of the input: the first of them is the one that is stored. (Two that
 * differ in nothing but price or size may still meet another process in a circle. That is a deadlock, and tried again.)
 *
 * Sorted here because most input is in order already, which is seen at once; the server would copy every row for it
 * (85 ms of 3.4 s for 100,000).
 */
export function inInsertionOrder<F extends { readonly values: EncodedRow }>(
  fills: readonly F[],
): readonly F[] {
  const isInOrder = fills.every((fill, i) => {
    const before = fills[i - 1];
    return before === undefined || compare(before.values, fill.values) <= 0;
  });
  return isInOrder ? fills : fills.toSorted((a, b) => compare(a.values, b.values));
}

function compare(a: EncodedRow, b: EncodedRow): number {
  for (const key of keys) {
    const x = key(a);
    const y = key(b);
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
