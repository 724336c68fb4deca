import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasOpenSells, listOpenOrders, listOrders, openOrderStatuses } from '../../../src/queries/index.ts';
import { emptyTables, type OpenHandle, openPglite } from '../../support/handles.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

/** A word, each letter in either case, its parts joined by whatever. */
const spelled = (word: string) =>
  fc
    .tuple(fc.constantFrom('_', '-', ' ', ''), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }))
    .map(([separator, isUpper]) =>
      [...word.replaceAll('_', separator)]
        .map((letter, i) => (isUpper[i] === true ? letter.toUpperCase() : letter))
        .join(''),
    );
const word = fc.constantFrom(...openOrderStatuses, 'filled', 'canceled', 'expired', 'partially');
const status = fc.oneof(
  { weight: 6, arbitrary: word.chain(spelled) },
  fc.constantFrom(null, '', ' ', 'o.pen', 'OPENÉ'),
);
const side = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('buy', 'sell').chain(spelled) },
  fc.constant(null),
);
const size = fc.constantFrom(null, 0, 0.1, 1, -1);
const orders = fc.array(
  fc.record({
    symbol: fc.constantFrom('A', 'B', null),
    sessionid: fc.constantFrom('s', 't', null),
    ...{ status, side, size, remaining: size, filledsize: size, filled: size },
  }),
  { maxLength: 40, size: 'max' },
);
const filter = fc.record({
  sessionId: fc.constantFrom('s', 't'),
  isOfSession: fc.boolean(),
  symbol: fc.constantFrom('A', undefined),
  side: fc.constantFrom('buy', 'SELL', undefined),
  statuses: fc.option(fc.array(word.chain(spelled), { minLength: 1, maxLength: 3 }), { nil: undefined }),
});

const key = (text: string) => text.toLowerCase().replaceAll(/[_ -]/g, '');
const isOneOf = (text: string | null, statuses: readonly string[]) =>
  text !== null && statuses.map(key).includes(key(text));
const isSide = (text: string | null, wanted: string | undefined) =>
  wanted === undefined || text?.toLowerCase() === wanted.toLowerCase();
function hasSomethingLeft(row: { [K in 'size' | 'remaining' | 'filledsize' | 'filled']: number | null }) {
  if (row.remaining !== null) return row.remaining > 0;
  const filled = row.filledsize ?? row.filled;
  return row.size === null || filled === null || row.size - filled > 0;
}

test('orders by side and status are what a plain filter gives', async () => {
  const seen = { found: 0, nothing: 0, open: 0, settled: 0 };
  await fc.assert(
    fc.asyncProperty(orders, filter, async (drawn, { sessionId, isOfSession, symbol, side, statuses }) => {
      const rows = drawn.map((row, i) => ({ ...row, id: String(i).padStart(2, '0') }));
      const { db } = handle;
      await emptyTables(db);
      await db.execute(sql`insert into sessions (id) values ('s'), ('t')`);
      await db.execute(sql`
        insert into orders (id, symbol, sessionid, status, side, size, remaining, filledsize, filled)
        select id, symbol, sessionid, status, side, size, remaining, filledsize, filled
        from jsonb_populate_recordset(null::orders, ${JSON.stringify(rows)}::jsonb)`);
      const wanted = (keep: (row: (typeof rows)[number]) => boolean) =>
        rows
          .filter((row) => keep(row) && (symbol === undefined || row.symbol === symbol))
          .map(({ id }) => id)
          .reverse();
      const isOpen = (row: (typeof rows)[number]) =>
        isOneOf(row.status, statuses ?? openOrderStatuses) && hasSomethingLeft(row);
      const ids = (page: readonly { id: string }[]) => page.map(({ id }) => id);

      const open = await listOpenOrders(db, {
        ...{ symbol, side, statuses },
        sessionId: isOfSession ? sessionId : undefined,
      });
      expect(ids(open)).toEqual(
        wanted(
          (row) => isOpen(row) && isSide(row.side, side) && (!isOfSession || row.sessionid === sessionId),
        ),
      );
      const hasOpen = await hasOpenSells(db, { sessionId, symbol, statuses });
      expect(hasOpen).toBe(
        wanted((row) => isOpen(row) && isSide(row.side, 'sell') && row.sessionid === sessionId).length > 0,
      );
      const [status] = statuses ?? [];
      expect(ids(await listOrders(db, { sessionId, symbol, side, status }))).toEqual(
        wanted(
          (row) =>
            row.sessionid === sessionId &&
            isSide(row.side, side) &&
            (status === undefined || isOneOf(row.status, [status])),
        ),
      );
      seen[open.length > 0 ? 'found' : 'nothing']++;
      seen[hasOpen ? 'open' : 'settled']++;
    }),
    { numRuns: 150 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
});
