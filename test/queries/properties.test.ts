import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrayLiteral } from '../../src/queries/core/arguments.ts';
import { listMultiPairSessions, listSessionsByPair, listSessionsByPairs } from '../../src/queries/index.ts';
import { emptyTables, type OpenHandle, openPglite } from '../support/handles.ts';
import { readPages } from './suites/pairs.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

const pair = fc.constantFrom('A', 'B', 'C', "'", '"\\', 'a');
// Few starts, so that many are equal: also more than one step of the walk reads.
const sessions = fc.array(
  fc.record({
    startedAt: fc.option(fc.integer({ min: -2, max: 2 })),
    pairs: fc.array(pair, { maxLength: 3 }),
  }),
  { maxLength: 300, size: 'max' },
);

test('the lists are what a plain filter gives, page by page', async () => {
  await fc.assert(
    fc.asyncProperty(
      sessions,
      fc.array(pair, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 7, max: 120 }),
      async (drawn, wanted, limit) => {
        const rows = drawn.map((session, i) => ({ ...session, id: String(i).padStart(4, '0') }));
        await emptyTables(handle.db);
        await handle.db.execute(sql`
          insert into sessions (id, startedat, pairs)
          select id, "startedAt", pairs
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, "startedAt" bigint, pairs jsonb)`);
        const newestFirst = rows.toSorted(
          (a, b) =>
            (b.startedAt ?? Number.NEGATIVE_INFINITY) - (a.startedAt ?? Number.NEGATIVE_INFINITY) ||
            Number(b.id) - Number(a.id),
        );
        const filter = (keep: (pairs: readonly string[]) => boolean) =>
          newestFirst.filter((row) => keep(row.pairs)).map(({ id }) => id);
        const first = wanted[0] ?? '';
        const db = handle.db;

        expect(await readPages((after) => listSessionsByPair(db, { pair: first, limit, after }))).toEqual(
          filter((pairs) => pairs.includes(first)),
        );
        expect(
          await readPages((after) => listSessionsByPairs(db, { pairs: wanted, match: 'all', limit, after })),
        ).toEqual(filter((pairs) => wanted.every((one) => pairs.includes(one))));
        expect(
          await readPages((after) => listSessionsByPairs(db, { pairs: wanted, match: 'any', limit, after })),
        ).toEqual(filter((pairs) => wanted.some((one) => pairs.includes(one))));
        expect(await readPages((after) => listMultiPairSessions(db, { limit, after }))).toEqual(
          filter((pairs) => pairs.length >= 2),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('an array of any text comes through PostgreSQL unchanged', async () => {
  const element = fc.option(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')));
  await fc.assert(
    fc.asyncProperty(fc.array(element), async (values) => {
      const got = await handle.db.execute(sql`select ${arrayLiteral(values)}::text::text[] as got`);
      expect(got).toMatchObject({ rows: [{ got: values }] });
    }),
  );
});
