import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { joinSql } from '../../../src/queries/core/join-sql.ts';
import { type Computed, defineQuery } from '../../../src/queries/core/query.ts';
import { rowsOf, toArrays } from '../../../src/queries/core/row-arrays.ts';
import {
  identityColumns,
  identityPartOf,
  identityParts,
  toIdentityPart,
} from '../../../src/queries/fills/fill-identity.ts';
import { encodeFill } from '../../../src/queries/fills/fill-input.ts';
import { sortKeysOf } from '../../../src/queries/fills/fill-order.ts';
import { fillIdentityParts } from '../../../src/schema/fill-identity.ts';
import { type OpenHandle, openPglite } from '../../support/handles.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

test('a part reads the columns that its expression reads', () => {
  expect(identityPartOf('amount').reads.map(({ key }) => key)).toEqual(['size', 'amount']);
  expect(identityPartOf('tradeId').reads.map(({ key }) => key)).toEqual(['execId', 'tradeId']);
  expect(identityPartOf('side')).toMatchObject({ ignoresCase: true, nullIsEqual: true });
  expect(() => toIdentityPart({ columns: ['maker'] }, 0)).toThrow('reads maker, and fills has none');
});

/** With a part that the identity may get one day. */
const withLiquidity = [
  ...fillIdentityParts,
  { columns: ['liquidityind'], ignoresCase: true, nullIsEqual: true } as const,
].map(toIdentityPart);

test.each([
  ['the identity', identityParts, identityColumns],
  [
    'an identity with one part more',
    withLiquidity,
    [...new Set([...identityColumns, ...withLiquidity.flatMap((part) => part.reads)])],
  ],
] as const)('fills that PostgreSQL takes for one by %s are one in memory, too', async (_, parts, columns) => {
  const identity = sql`row(${joinSql(parts.map(({ expression }) => expression))})`;
  const query = defineQuery<Record<string, string>, { identity: Computed<string | null> }>({
    name: 'identities',
    fields: { identity: { expression: sql`identity`, decode: (value) => String(value) } },
    statement: (given, list) => sql`
      select ${list()} from (
        select case when ${identity} is not null then ${identity}::text end as identity, ordinal
        from ${rowsOf(columns, given, 'u')}
      ) as i order by ordinal`,
  });
  const keys = sortKeysOf(parts);
  const text = fc.constantFrom(null, 'a', 'B', 'b');
  const fill = fc.record({
    id: fc.constantFrom('x', 'y'),
    sessionId: text,
    symbol: text,
    side: fc.constantFrom(null, 'buy', 'BUY', 'Sell'),
    price: fc.constantFrom(null, 1, '1.0'),
    size: fc.constantFrom(null, 1),
    amount: fc.constantFrom(null, '1e0'),
    timestamp: fc.constantFrom(null, 0, 1),
    tradeId: fc.constantFrom(null, 1, 'x'),
    liquidityInd: fc.constantFrom(null, 'maker', 'MAKER'),
  });
  let pairs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fill, { minLength: 20, maxLength: 60 }), async (fills) => {
      // Each once more, with its side as another venue writes it: two of the drawn ones are rarely one.
      const again = fills.map((one) => ({ ...one, side: one.side?.toUpperCase() ?? null }));
      const rows = [...fills, ...again].map(encodeFill);
      const identities = (await query.list(handle.db, toArrays(columns, rows))).map(
        ({ identity }) => identity,
      );
      const sortKeys = rows.map((row) => JSON.stringify(keys.map((key) => key(row))));
      const seen = new Map<string, string | undefined>();
      identities.forEach((identity, i) => {
        if (identity === null) return;
        if (seen.has(identity)) pairs++;
        expect(seen.get(identity) ?? sortKeys[i]).toBe(sortKeys[i]);
        seen.set(identity, sortKeys[i]);
      });
    }),
    { numRuns: 40 },
  );
  expect(pairs).toBeGreaterThan(0);
});
