import type { PGlite } from '@electric-sql/pglite';
import { PGlite as Embedded } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  claimSessionsToSettle,
  findOrder,
  hasOpenSells,
  insertOrders,
  insertSession,
  listMultiPairSessions,
  listOpenOrders,
  listOrders,
  listSessionsByPair,
  listSessionsByPairs,
  listSessionsToSettle,
  recordSettlement,
  setSessionPairs,
} from '../../src/queries/index.ts';
import { migratePglite } from '../support/migrations.ts';

let client: PGlite;
beforeAll(async () => {
  client = await Embedded.create();
  await migratePglite(client);
});
afterAll(() => client.close());

type Db = ReturnType<typeof drizzle>;

/** The statements of a call, in one line each, long lists of columns and arrays shortened; and their parameters. */
async function sent(call: (db: Db) => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const db = drizzle(client, {
    logger: {
      logQuery: (text, params) =>
        statements.push(`${shorten(text)} -- ${JSON.stringify(params.slice(0, 6))}`),
    },
  });
  await call(db).catch((error) => {
    if (error.code !== 'not_found') throw error;
  });
  return statements;
}

const shorten = (text: string) =>
  text
    .replaceAll(/("?\w+"?\.)?"\w+"(, ("?\w+"?\.)?"\w+"){3,}/g, '…')
    .replaceAll(/\$\d+::text::\w+\[\](, \$\d+::text::\w+\[\]){3,}/g, '$…')
    .replaceAll(/\s+/g, ' ')
    .trim();

const after = { startedAt: 1, id: 'a' };

test('settlement', async () => {
  expect(await sent((db) => listSessionsToSettle(db, { startedAfterMs: 7 }))).toMatchInlineSnapshot(`
    [
      "select … from ( select … from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as dear where dear.id = sessions.id limit 1)) order by startedat desc, id desc limit 1000 ) as newest order by startedat desc, id desc limit (select $2::integer) -- [7,100]",
    ]
  `);
  expect(
    await sent((db) =>
      listSessionsToSettle(db, { startedAfterMs: 7, pair: 'A', exchange: 'okx', limit: 5, after }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "select … from ( select … from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as dear where dear.id = sessions.id limit 1)) and coalesce(pairs, '[]') @> $2::jsonb and exchange is not distinct from $3 and startedat <= (select $4::bigint) and (startedat, id) < ((select $5::bigint), (select $6::text)) order by startedat desc, id desc limit 1000 ) as newest order by startedat desc, id desc limit (select $7::integer) -- [7,"[\\"A\\"]","okx",1,1,"a"]",
    ]
  `);
  expect(
    await sent((db) =>
      db.transaction((tx) => claimSessionsToSettle(tx, { startedAfterMs: 7, retryAfterMs: 9 })),
    ),
  ).toMatchInlineSnapshot(`
    [
      "with candidates as materialized ( select id from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as dear where dear.id = sessions.id limit 1)) and (lastsettleattempt is null or lastsettleattempt <= (extract(epoch from statement_timestamp()) * 1000)::bigint - $2::bigint) order by lastsettleattempt nulls first, startedat, id limit $3 for no key update skip locked ), claimed as ( update sessions set lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint from candidates where sessions.id = candidates.id returning … ) select … from claimed order by startedat, id -- [7,9,100]",
    ]
  `);
  expect(await sent((db) => recordSettlement(db, { sessionId: 's', complete: true }))).toMatchInlineSnapshot(`
    [
      "update sessions set settledcomplete = coalesce(settledcomplete, false) or $1::boolean, lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint where id = $2 returning "id", "settledcomplete", "lastsettleattempt" -- [true,"s"]",
    ]
  `);
});

test('pairs: first the walk, then the index', async () => {
  expect(await sent((db) => listSessionsByPair(db, { pair: 'A' }))).toMatchInlineSnapshot(`
    [
      "with recursive walk (down_to, visited, held, ids) as ( select 9223372036854775807::bigint, 0::bigint, 0, '{}'::text[] union all select step.lowest - 1, walk.visited + step.visited, walk.held + cardinality(step.ids), walk.ids || step.ids from walk cross join lateral ( select nullif(min(startedat), '-9223372036854775808'::bigint) as lowest, count(*) as visited, coalesce( array_agg(id order by startedat desc, id desc) filter (where pairs @> $1::jsonb ), '{}' ) as ids from ( select id, startedat, pairs, pair_count, exchange from sessions where startedat <= walk.down_to order by startedat desc fetch first 250 rows with ties ) as step_rows ) as step where walk.down_to is not null and walk.held < $2::integer and walk.visited < 500 + 100 * walk.held ), found as ( select unnest(ids) as id from (select ids from walk order by cardinality(ids) desc limit 1) as longest ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc, s.id desc limit $3 -- ["[\\"A\\"]",100,100]",
      "with found as materialized ( select id from sessions where pairs @> $1::jsonb order by startedat desc nulls last, id desc limit $2 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["[\\"A\\"]",100]",
    ]
  `);
  expect(
    (
      await sent((db) => listSessionsByPairs(db, { pairs: ['A', 'B'], match: 'all', exchange: 'okx', after }))
    )[1],
  ).toMatchInlineSnapshot(
    `"with found as materialized ( select id from sessions where pairs @> $1::jsonb and exchange is not distinct from $2 and (coalesce(startedat, '-9223372036854775808'::bigint), id) < ($3::bigint, $4) order by startedat desc nulls last, id desc limit $5 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["[\\"A\\",\\"B\\"]","okx",1,"a",100]"`,
  );
  expect(
    (await sent((db) => listSessionsByPairs(db, { pairs: ['A', 'B'], match: 'any' })))[1],
  ).toMatchInlineSnapshot(
    `"with found as materialized ( select id from sessions where pairs ?| $1::text::text[] order by startedat desc nulls last, id desc limit $2 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["{\\"A\\",\\"B\\"}",100]"`,
  );
  expect(
    await sent((db) => listSessionsByPair(db, { pair: 'A', after: { startedAt: null, id: 'a' } })),
  ).toMatchInlineSnapshot(`
    [
      "select … from (select … from sessions where startedat is null and id < $1 offset 0) as s where coalesce(pairs, '[]') @> $2::jsonb order by id desc limit $3 -- ["a","[\\"A\\"]",100]",
    ]
  `);
  expect((await sent((db) => listMultiPairSessions(db)))[1]).toMatchInlineSnapshot(
    `"with found as materialized ( select id from sessions where pair_count >= $1::integer and pair_count <= 2147483647 order by startedat desc nulls last, id desc limit $2 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- [2,100]"`,
  );
  expect(
    await sent((db) => setSessionPairs(db, { sessionId: 's', pairs: ['A'] }).then(() => {})),
  ).toHaveLength(1);
  expect(await sent((db) => insertSession(db, { id: 's' }))).toMatchInlineSnapshot(`
    [
      "insert into sessions (…) select … from unnest($…) as "input" (…) returning … -- ["{\\"s\\"}","{null}","{null}","{null}","{null}","{null}"]",
    ]
  `);
});

test('orders', async () => {
  expect(await sent((db) => findOrder(db, { id: 'o' }))).toMatchInlineSnapshot(`
    [
      "select … from orders where id = $1 order by "timestamp" desc nulls last, id desc limit 1 -- ["o"]",
    ]
  `);
  expect(await sent((db) => findOrder(db, { clientOrderId: 'c' }))).toMatchInlineSnapshot(`
    [
      "select … from orders where clientorderid = $1 order by "timestamp" desc nulls last, id desc limit 1 -- ["c"]",
    ]
  `);
  expect(await sent((db) => findOrder(db, { exchangeOrderId: 'x', sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "select … from orders where sessionid = $1 and (data ->> 'exchangeOrderId' = $2 or id in ( select orderid from fills where sessionid = $3 and exchangeorderid = $4 )) order by "timestamp" desc nulls last, id desc limit 1 -- ["s","x","s","x"]",
    ]
  `);
  expect(await sent((db) => listOrders(db, { sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "select … from orders where sessionid = $1 order by "timestamp" desc nulls last, id desc limit $2 -- ["s",100]",
    ]
  `);
  expect(
    await sent((db) =>
      listOrders(db, {
        sessionId: 's',
        symbol: 'A',
        status: 'open',
        side: 'buy',
        after: { timestamp: null, id: 'o' },
      }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "select … from orders where sessionid = $1 and symbol = $2 and status is not distinct from $3 and side is not distinct from $4 and (coalesce("timestamp", '-9223372036854775808'::bigint), id) < ('-9223372036854775808'::bigint::bigint, $5) order by "timestamp" desc nulls last, id desc limit $6 -- ["s","A","open","buy","o",100]",
    ]
  `);
  expect(await sent((db) => listOpenOrders(db, { sessionId: 's', symbol: 'A' }))).toMatchInlineSnapshot(`
    [
      "select … from orders where status in ('pending', 'new', 'open', 'partially_filled', 'canceling') and sessionid = $1 and symbol is not distinct from $2 order by "timestamp" desc nulls last, id desc limit $3 -- ["s","A",100]",
    ]
  `);
  expect(await sent((db) => hasOpenSells(db, { sessionId: 's', statuses: ['NEW'] }))).toMatchInlineSnapshot(`
    [
      "select exists ( select from orders where sessionid = $1 and status = any($2::text::text[]) and side is not distinct from 'sell' ) -- ["s","{\\"NEW\\"}"]",
    ]
  `);
  expect(await sent((db) => insertOrders(db, [{ id: 'o' }, { id: 'p' }]))).toMatchInlineSnapshot(`
    [
      "insert into orders (…, pair_index) select …, ( select min(ordinality)::integer - 1 from sessions cross join lateral jsonb_array_elements_text(sessions.pairs) with ordinality as element (pair) where sessions.id = input.sessionid and element.pair = input.symbol ) from unnest($…) as "input" (…) returning "id", "pair_index" -- ["{\\"o\\",\\"p\\"}","{null,null}","{null,null}","{null,null}","{null,null}","{null,null}"]",
    ]
  `);
});
