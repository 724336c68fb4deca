import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { joinNames, joinSql } from '../../../src/queries/core/join-sql.ts';
import { type Computed, defineQuery } from '../../../src/queries/core/query.ts';
import { toArrays, unnestArrays } from '../../../src/queries/core/row-encoder.ts';
import {
  identityColumns,
  identityPartOf,
  identityParts,
  toIdentityPart,
} from '../../../src/queries/fills/fill-identity.ts';
import { encodeFill } from '../../../src/queries/fills/fill-input.ts';
import { sortKeysOf } from '../../../src/queries/fills/fill-order.ts';
import { fillIdentityKeys } from '../../../src/schema/fill-identity.ts';
import { type OpenHandle, openPglite } from '../../support/handles.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

const reads = (key: string) => toIdentityPart(key, 0).reads.map((column) => column.key);

test('the columns that a part reads are read off its text', () => {
  expect(reads('symbol')).toEqual(['symbol']);
  expect(reads('"timestamp"')).toEqual(['timestamp']);
  expect(reads(`coalesce(execid, tradeid::text, '')`)).toEqual(['execId', 'tradeId']);
  expect(reads(`coalesce(lower(side), '')`)).toEqual(['side']);
  expect(identityPartOf('amount').reads.map(({ key }) => key)).toEqual(['size', 'amount']);
  expect(identityParts.every((part) => part.reads.length > 0)).toBe(true);
  for (const strange of ['price * size', `coalesce(symbol, 'X')`, 'upper(side)', '']) {
    expect(() => toIdentityPart(strange, 0)).toThrow("can't sort fills by this part");
  }
});

/** With a part that the identity may get one day. */
const withSide = [...new Set<string>([...fillIdentityKeys, `coalesce(lower(side), '')`])].map(toIdentityPart);

test.each([
  ['the identity', identityParts, identityColumns],
  [
    'an identity with a side',
    withSide,
    [...new Set([...identityColumns, ...withSide.flatMap((part) => part.reads)])],
  ],
] as const)('fills that PostgreSQL takes for one by %s are one in memory, too', async (_, parts, columns) => {
  const identity = sql`row(${joinSql(parts.map(({ expression }) => expression))})`;
  const query = defineQuery<Record<string, string>, { identity: Computed<string | null> }>({
    name: 'identities',
    fields: { identity: { expression: sql`identity`, decode: (value) => String(value) } },
    statement: (given, list) => sql`
      select ${list()} from (
        select case when ${identity} is not null then ${identity}::text end as identity, ordinal
        from ${unnestArrays(columns, given)} with ordinality
          as u (${joinNames(columns)}, ordinal)
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
  });
  let pairs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fill, { minLength: 20, maxLength: 60 }), async (fills) => {
      const rows = fills.map(encodeFill);
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
