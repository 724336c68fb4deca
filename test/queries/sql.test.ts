import type { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  claimSessionsToSettle,
  correctFill,
  findFill,
  findLatestFill,
  findOrder,
  findSession,
  hasOpenSells,
  insertFills,
  insertOrders,
  insertSession,
  listDuplicateFills,
  listEquity,
  listFills,
  listFillsInRange,
  listMultiPairSessions,
  listOpenOrders,
  listOpenSells,
  listOrderStats,
  listOrders,
  listPairPerformance,
  listPairPnl,
  listPairVolume,
  listSessions,
  listSessionsByPair,
  listSessionsByPairs,
  listSessionsToSettle,
  recordSettlement,
  reopenSettlement,
  type SessionSummary,
  saveOrders,
  setSessionPairs,
  setSessionStatus,
  settleSessions,
} from '../../src/queries/index.ts';
import {
  countAttempt,
  recordClaimed,
  releaseClaim,
  renewClaim,
} from '../../src/queries/sessions/claim-lease.ts';
import { createPglite } from '../support/pglite.ts';

let client: PGlite;
beforeAll(async () => {
  client = await createPglite('migrated');
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
    // How many parameters come before it is how many columns the table has.
    .replaceAll(/\$\d+::integer/g, '$n::integer')
    .replaceAll(/\s+/g, ' ')
    .trim();

const after = { startedAt: 1, id: 'a' };

test('settlement', async () => {
  expect(await sent((db) => listSessionsToSettle(db, { startedAfterMs: 7 }))).toMatchInlineSnapshot(`
    [
      "select … from ( select … from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as never_read where never_read.id = sessions.id limit 1)) order by startedat desc, id desc limit 1000 ) as newest order by startedat desc, id desc limit (select $n::integer) -- [7,100]",
    ]
  `);
  expect(
    await sent((db) =>
      listSessionsToSettle(db, { startedAfterMs: 7, pair: 'A', exchange: 'okx', limit: 5, after }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "select … from ( select … from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as never_read where never_read.id = sessions.id limit 1)) and coalesce(pairs, '[]') @> $2::text::jsonb and exchange is not distinct from $3 and startedat <= (select $4::bigint) and (startedat, id) < ((select $4::bigint), (select $5::text)) order by startedat desc, id desc limit 1000 ) as newest order by startedat desc, id desc limit (select $n::integer) -- [7,"[\\"A\\"]","okx",1,"a",5]",
    ]
  `);
  expect(
    await sent((db) =>
      db.transaction((tx) => claimSessionsToSettle(tx, { startedAfterMs: 7, retryAfterMs: 9 })),
    ),
  ).toMatchInlineSnapshot(`
    [
      "with candidates as materialized ( select id, lastsettleattempt as previous_attempt from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as never_read where never_read.id = sessions.id limit 1)) and (lastsettleattempt is null or lastsettleattempt <= (extract(epoch from statement_timestamp()) * 1000)::bigint - $2::bigint) order by lastsettleattempt nulls first, startedat, id limit $3 for no key update skip locked ), claimed as ( update sessions set lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint from candidates where sessions.id = candidates.id returning … ) select … from claimed order by startedat, id -- [7,9,100]",
    ]
  `);
  expect(await sent((db) => recordSettlement(db, { sessionId: 's', complete: true }))).toMatchInlineSnapshot(`
    [
      "update sessions set settledcomplete = coalesce(settledcomplete, false) or $1::boolean, lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint where id = $2 returning "id", "settledcomplete", "lastsettleattempt" -- [true,"s"]",
    ]
  `);
});

test('settlement in the order of the claims, and taken back', async () => {
  expect(
    await sent((db) =>
      listSessionsToSettle(db, {
        startedAfterMs: 7,
        order: 'never-tried-first',
        after: { ...after, lastSettleAttempt: null },
      }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "select … from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as never_read where never_read.id = sessions.id limit 1)) and (coalesce(lastsettleattempt, '-9223372036854775808'::bigint), startedat, id) > ('-9223372036854775808'::bigint::bigint, $2::bigint, $3::text) order by lastsettleattempt nulls first, startedat, id limit (select $n::integer) -- [7,1,"a",100]",
    ]
  `);
  expect(await sent((db) => reopenSettlement(db, { sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "update sessions set settledcomplete = false, lastsettleattempt = null, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint where id = $1 returning "id", "settledcomplete", "lastsettleattempt" -- ["s"]",
    ]
  `);
});

test('what a worker sends: claim, renewal, result, release, and an attempt that was rolled back', async () => {
  const session: SessionSummary = JSON.parse('{"id":"s"}');
  const claim = { session, attemptBefore: null, stampMs: 9, sentAtMs: 0 };
  expect(
    await sent((db) => settleSessions(db, async () => {}, { startedAfterMs: 7, whenIdle: 'end' })),
  ).toMatchInlineSnapshot(`
    [
      "with candidates as materialized ( select id, lastsettleattempt as previous_attempt from sessions where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= (select $1::bigint) and (startedat is not null or (select true from sessions as never_read where never_read.id = sessions.id limit 1)) and (lastsettleattempt is null or lastsettleattempt <= (extract(epoch from statement_timestamp()) * 1000)::bigint - $2::bigint) order by lastsettleattempt nulls first, startedat, id limit $3 for no key update skip locked ), claimed as ( update sessions set lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint from candidates where sessions.id = candidates.id returning …, previous_attempt::text ) select …, previous_attempt::text from claimed order by startedat, id -- [7,300000,1]",
    ]
  `);
  expect(await sent((db) => renewClaim(db, claim, 9))).toMatchInlineSnapshot(`
    [
      "update sessions set lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint where id = $1 and lastsettleattempt = $2::bigint returning "lastsettleattempt" -- ["s",9]",
    ]
  `);
  expect(await sent((db) => recordClaimed(db, claim, 9, true))).toMatchInlineSnapshot(`
    [
      "update sessions set settledcomplete = coalesce(settledcomplete, false) or $1::boolean, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint where id = $2 and lastsettleattempt = $3::bigint returning "id" -- [true,"s",9]",
    ]
  `);
  expect(await sent((db) => releaseClaim(db, { ...claim, attemptBefore: '5' }, 9))).toMatchInlineSnapshot(`
    [
      "update sessions set lastsettleattempt = $1::text::bigint where id = $2 and lastsettleattempt = $3::bigint returning "id" -- ["5","s",9]",
    ]
  `);
  expect(await sent((db) => releaseClaim(db, claim, 9))).toMatchInlineSnapshot(`
    [
      "update sessions set lastsettleattempt = $1::text::bigint where id = $2 and lastsettleattempt = $3::bigint returning "id" -- [null,"s",9]",
    ]
  `);
  expect(await sent((db) => countAttempt(db, claim))).toMatchInlineSnapshot(`
    [
      "update sessions set settledcomplete = false, lastsettleattempt = (extract(epoch from statement_timestamp()) * 1000)::bigint, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint where id in ( select id from sessions where id = $1 and settlesession = true and (settledcomplete is null or settledcomplete = false) and coalesce(lastsettleattempt, '-9223372036854775808'::bigint) < $2::bigint for no key update skip locked ) returning "id" -- ["s",9]",
    ]
  `);
});

test('sessions', async () => {
  expect(await sent((db) => findSession(db, { id: 's' }))).toMatchInlineSnapshot(`
    [
      "select … from sessions where id = $1 -- ["s"]",
    ]
  `);
  expect(
    await sent((db) => setSessionStatus(db, { sessionId: 's', status: 'x' }).then(() => {})),
  ).toMatchInlineSnapshot(`
    [
      "update sessions set status = $1, lastupdated = (extract(epoch from statement_timestamp()) * 1000)::bigint where id = $2 returning … -- ["x","s"]",
    ]
  `);
  expect(await sent((db) => listSessions(db, { startedAfterMs: 7, after }))).toMatchInlineSnapshot(`
    [
      "select … from sessions where startedat >= $1::bigint and startedat <= $2::bigint and (startedat, id) < ($2::bigint, $3::text) order by startedat desc, id desc limit $4 -- [7,1,"a",100]",
    ]
  `);
  expect(await sent((db) => listSessions(db))).toMatchInlineSnapshot(`
    [
      "select … from sessions where startedat >= '-9223372036854775808'::bigint::bigint order by startedat desc, id desc limit $1 -- [100]",
      "select … from (select … from sessions where startedat is null offset 0) as s where true order by id desc limit $1 -- [100]",
    ]
  `);
  expect(
    (await sent((db) => listSessions(db, { status: 'Run-ning', exchange: 'okx' })))[1],
  ).toMatchInlineSnapshot(
    `"with found as materialized ( select id from ( with recursive spellings (status) as ( select min(status) from sessions where status is not null union all select (select min(status) from sessions where status > spellings.status) from spellings where status is not null ) select id, startedat, exchange from spellings cross join lateral ( select id, startedat, exchange from sessions where sessions.status >= spellings.status and sessions.status <= spellings.status offset 0 ) as spelled where lower(translate(spellings.status, '_- ', '') collate "C") = $1 ) as of_status where true and exchange is not distinct from $2 order by startedat desc nulls last, id desc limit $3 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["running","okx",100]"`,
  );
  expect(
    (await sent((db) => listSessions(db, { exchange: 'okx', startedAfterMs: 7 })))[1],
  ).toMatchInlineSnapshot(
    `"with found as materialized ( select id from sessions where exchange >= $1 and exchange <= $1 and startedat + 0 >= $2::bigint order by startedat desc nulls last, id desc limit $3 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["okx",7,100]"`,
  );
});

test('pairs: first the walk, then the index', async () => {
  expect(await sent((db) => listSessionsByPair(db, { pair: 'A' }))).toMatchInlineSnapshot(`
    [
      "with recursive walk (down_to, visited, held, ids) as ( select 9223372036854775807::bigint, 0::bigint, 0, '{}'::text[] union all select step.lowest - 1, walk.visited + step.visited, walk.held + cardinality(step.ids), walk.ids || step.ids from walk cross join lateral ( select nullif(min(startedat), '-9223372036854775808'::bigint) as lowest, count(*) as visited, coalesce( array_agg(id order by startedat desc, id desc) filter (where pairs @> $1::text::jsonb ), '{}' ) as ids from ( select id, startedat, status, pairs, pair_count, exchange from sessions where startedat <= walk.down_to order by startedat desc fetch first 250 rows with ties ) as step_rows ) as step where walk.down_to is not null and walk.held < $n::integer and walk.visited < 500 + 100 * walk.held ), found as ( select unnest(ids) as id from (select ids from walk order by cardinality(ids) desc limit 1) as longest ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc, s.id desc limit $2 -- ["[\\"A\\"]",100]",
      "with found as materialized ( select id from sessions where pairs @> $1::text::jsonb order by startedat desc nulls last, id desc limit $2 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["[\\"A\\"]",100]",
    ]
  `);
  expect(
    (
      await sent((db) => listSessionsByPairs(db, { pairs: ['A', 'B'], match: 'all', exchange: 'okx', after }))
    )[1],
  ).toMatchInlineSnapshot(
    `"with found as materialized ( select id from sessions where pairs @> $1::text::jsonb and exchange is not distinct from $2 and (coalesce(startedat, '-9223372036854775808'::bigint), id) < ($3::bigint, $4) order by startedat desc nulls last, id desc limit $5 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- ["[\\"A\\",\\"B\\"]","okx",1,"a",100]"`,
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
      "select … from (select … from sessions where startedat is null and id < $1 offset 0) as s where coalesce(pairs, '[]') @> $2::text::jsonb order by id desc limit $3 -- ["a","[\\"A\\"]",100]",
    ]
  `);
  expect((await sent((db) => listMultiPairSessions(db)))[1]).toMatchInlineSnapshot(
    `"with found as materialized ( select id from sessions where pair_count >= $n::integer and pair_count <= 2147483647 order by startedat desc nulls last, id desc limit $2 ) select … from found cross join lateral (select … from sessions where sessions.id = found.id limit 1) as s order by s.startedat desc nulls last, s.id desc -- [2,100]"`,
  );
  expect(
    await sent((db) => setSessionPairs(db, { sessionId: 's', pairs: ['A'] }).then(() => {})),
  ).toHaveLength(1);
  expect(await sent((db) => insertSession(db, { id: 's' }))).toMatchInlineSnapshot(`
    [
      "insert into sessions (…) select … from unnest($…) with ordinality as "input" (…) returning … -- ["{\\"s\\"}","{null}","{null}","{null}","{null}","{null}"]",
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
      "select … from orders where sessionid = $1 and (data ->> 'exchangeOrderId' = $2 or id in ( select orderid from fills where sessionid = $1 and exchangeorderid = $2 )) order by "timestamp" desc nulls last, id desc limit 1 -- ["s","x"]",
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
      "with recursive spellings (status) as ( select min(status) from orders where sessionid = $1 and status is not null union all select (select min(status) from orders where sessionid = $1 and status > spellings.status) from spellings where status is not null ) select … from spellings cross join lateral ( select … from orders where sessionid = $1 and status >= spellings.status and status <= spellings.status and symbol is not distinct from $2 and lower(side collate "C") = $3 and (coalesce("timestamp", '-9223372036854775808'::bigint), id) < ('-9223372036854775808'::bigint::bigint, $4) offset 0 ) as found where lower(translate(spellings.status, '_- ', '') collate "C") = any($5::text::text[]) order by found."timestamp" desc nulls last, found.id desc limit $6 -- ["s","A","buy","o","{\\"open\\"}",100]",
    ]
  `);
  expect(await sent((db) => listOpenOrders(db, { sessionId: 's', symbol: 'A' }))).toMatchInlineSnapshot(`
    [
      "with recursive spellings (status) as ( select min(status) from orders where sessionid = $1 and status is not null union all select (select min(status) from orders where sessionid = $1 and status > spellings.status) from spellings where status is not null ) select … from spellings cross join lateral ( select … from orders where sessionid = $1 and status >= spellings.status and status <= spellings.status and coalesce(remaining > 0, size > coalesce(filledsize, filled), true) and symbol is not distinct from $2 offset 0 ) as found where lower(translate(spellings.status, '_- ', '') collate "C") in ('pending', 'new', 'open', 'partiallyfilled', 'canceling', 'cancelling') order by found."timestamp" desc nulls last, found.id desc limit $3 -- ["s","A",100]",
    ]
  `);
  expect(await sent((db) => hasOpenSells(db, { sessionId: 's', statuses: ['NEW'] }))).toMatchInlineSnapshot(`
    [
      "with recursive spellings (status) as ( select min(status) from orders where sessionid = $1 and status is not null union all select (select min(status) from orders where sessionid = $1 and status > spellings.status) from spellings where status is not null ) select exists (select from spellings cross join lateral ( select from orders where sessionid = $1 and status >= spellings.status and status <= spellings.status and coalesce(remaining > 0, size > coalesce(filledsize, filled), true) and lower(side collate "C") = 'sell' offset 0 ) as found where lower(translate(spellings.status, '_- ', '') collate "C") = any($2::text::text[])) -- ["s","{\\"new\\"}"]",
    ]
  `);
  expect(await sent((db) => insertOrders(db, [{ id: 'o' }, { id: 'p' }]))).toMatchInlineSnapshot(`
    [
      "insert into orders (…, pair_index) select …, null from unnest($…) with ordinality as "input" (…) returning "id", "pair_index" -- ["{\\"o\\",\\"p\\"}","{null,null}","{null,null}","{null,null}","{null,null}","{null,null}"]",
    ]
  `);
});

test('orders of all sessions', async () => {
  const key = { timestamp: 1, id: 'o' };
  expect(await sent((db) => listOrders(db, { after: key }))).toMatchInlineSnapshot(`
    [
      "select … from orders where "timestamp" >= '-9223372036854775808'::bigint::bigint and "timestamp" <= $1::bigint and ("timestamp", id) < ($1::bigint, $2::text) order by "timestamp" desc, id desc limit $3 -- [1,"o",100]",
      "select … from (select … from orders where "timestamp" is null offset 0) as s where true order by id desc limit $1 -- [100]",
    ]
  `);
  expect((await sent((db) => listOrders(db, { symbol: 'A', side: 'buy' })))[1]).toMatchInlineSnapshot(
    `"with found as materialized ( select id from orders where true and symbol >= $1 and symbol <= $1 and lower(side collate "C") = $2 order by "timestamp" desc nulls last, id desc limit $3 ) select … from found cross join lateral (select … from orders where orders.id = found.id limit 1) as s order by s."timestamp" desc nulls last, s.id desc -- ["A","buy",100]"`,
  );
  expect(
    (await sent((db) => listOrders(db, { symbol: 'A', status: 'open', after: key })))[1],
  ).toMatchInlineSnapshot(
    `"with found as materialized ( select id from (with recursive spellings (status) as ( select min(status) from orders where symbol = $1 and status is not null union all select (select min(status) from orders where symbol = $1 and status > spellings.status) from spellings where status is not null ) select found.id, found."timestamp" from spellings cross join lateral ( select id, "timestamp" from orders where symbol = $1 and status >= spellings.status and status <= spellings.status offset 0 ) as found where lower(translate(spellings.status, '_- ', '') collate "C") = any($2::text::text[])) as of_status where true and (coalesce("timestamp", '-9223372036854775808'::bigint), id) < ($3::bigint, $4) order by "timestamp" desc nulls last, id desc limit $5 ) select … from found cross join lateral (select … from orders where orders.id = found.id limit 1) as s order by s."timestamp" desc nulls last, s.id desc -- ["A","{\\"open\\"}",1,"o",100]"`,
  );
  expect(await sent((db) => listOpenSells(db, { sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "with recursive spellings (status) as ( select min(status) from orders where sessionid = $1 and status is not null union all select (select min(status) from orders where sessionid = $1 and status > spellings.status) from spellings where status is not null ) select … from spellings cross join lateral ( select … from orders where sessionid = $1 and status >= spellings.status and status <= spellings.status and coalesce(remaining > 0, size > coalesce(filledsize, filled), true) and lower(side collate "C") = 'sell' offset 0 ) as found where lower(translate(spellings.status, '_- ', '') collate "C") in ('pending', 'new', 'open', 'partiallyfilled', 'canceling', 'cancelling') order by found."timestamp" desc nulls last, found.id desc limit $2 -- ["s",100]",
    ]
  `);
  expect(await sent((db) => listOrderStats(db, { sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "with counted as ( select symbol, lower(side collate "C") as side, lower(translate(status, '_- ', '') collate "C") as status, count(*) as order_count, coalesce(sum(case when abs(size::text::numeric) < 'Infinity' then size::text::numeric end), 0) as size, coalesce(sum(case when abs(coalesce(filledsize, filled)::text::numeric) < 'Infinity' then coalesce(filledsize, filled)::text::numeric end), 0) as filled_size, coalesce(sum(case when abs(usdvalue::text::numeric) < 'Infinity' then usdvalue::text::numeric end), 0) as usd_value, min("timestamp") as first_ms, max("timestamp") as last_ms from orders where sessionid = $1 group by symbol, lower(side collate "C"), lower(translate(status, '_- ', '') collate "C") ) select symbol, side, status, order_count, trim_scale(size)::text, trim_scale(filled_size)::text, trim_scale(usd_value)::text, first_ms, last_ms from counted order by symbol is not null, coalesce(symbol, ''), side is not null, coalesce(side, ''), status is not null, coalesce(status, '') limit $2 -- ["s",100]",
    ]
  `);
  expect(
    await sent((db) =>
      listOrderStats(db, {
        fromMs: 0,
        toMs: 1,
        symbol: 'A',
        after: { symbol: 'A', side: null, status: 'x' },
      }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "with counted as ( select symbol, lower(side collate "C") as side, lower(translate(status, '_- ', '') collate "C") as status, count(*) as order_count, coalesce(sum(case when abs(size::text::numeric) < 'Infinity' then size::text::numeric end), 0) as size, coalesce(sum(case when abs(coalesce(filledsize, filled)::text::numeric) < 'Infinity' then coalesce(filledsize, filled)::text::numeric end), 0) as filled_size, coalesce(sum(case when abs(usdvalue::text::numeric) < 'Infinity' then usdvalue::text::numeric end), 0) as usd_value, min("timestamp") as first_ms, max("timestamp") as last_ms from orders where "timestamp" >= $1::bigint and "timestamp" < $2::bigint and symbol is not distinct from $3 group by symbol, lower(side collate "C"), lower(translate(status, '_- ', '') collate "C") ) select symbol, side, status, order_count, trim_scale(size)::text, trim_scale(filled_size)::text, trim_scale(usd_value)::text, first_ms, last_ms from counted where (symbol is not null, coalesce(symbol, ''), side is not null, coalesce(side, ''), status is not null, coalesce(status, '')) > ($4::text is not null, coalesce($4::text, ''), $5::text is not null, coalesce($5::text, ''), $6::text is not null, coalesce($6::text, '')) order by symbol is not null, coalesce(symbol, ''), side is not null, coalesce(side, ''), status is not null, coalesce(status, '') limit $7 -- [0,1,"A","A",null,"x"]",
    ]
  `);
});

test('fills by order and id, and a correction', async () => {
  expect(await sent((db) => listFills(db, { orderId: 'o', symbol: 'A' }))).toMatchInlineSnapshot(`
    [
      "select … from fills where orderid = $1 and symbol is not distinct from $2 order by coalesce("timestamp", '9223372036854775807'::bigint), id limit $3 -- ["o","A",100]",
    ]
  `);
  expect(await sent((db) => findFill(db, { id: 'f' }))).toMatchInlineSnapshot(`
    [
      "select … from fills where id = $1 -- ["f"]",
    ]
  `);
  const [text = ''] = await sent((db) => correctFill(db, { id: 'f', set: { fee: 1 } }).then(() => {}));
  expect(text).toMatch(
    /^update fills set "sessionid" = case when get_bit\(\$1::text::varbit, 0\) = 1 then \$2::text::text else "sessionid" end,/,
  );
});

test('saveOrders: the columns that nearly every order has, or all of them', async () => {
  const [core = '', ...others] = await sent((db) =>
    saveOrders(db, [{ id: 'o', status: 'open', lastUpdated: 1 }]),
  );
  expect(core).toMatchInlineSnapshot(
    `"with compared as materialized ( select …."given columns", "i"."ordinal", s.id is null as is_new, coalesce("i"."lastupdated" < "s"."lastupdated", false) as is_stale, ((get_bit(i."given columns", 1) = 1 and "i"."lastupdated" is distinct from "s"."lastupdated") or (get_bit(i."given columns", 2) = 1 and "i"."sessionid" is distinct from "s"."sessionid") or (get_bit(i."given columns", 3) = 1 and "i"."clientorderid" is distinct from "s"."clientorderid") or (get_bit(i."given columns", 4) = 1 and "i"."symbol" is distinct from "s"."symbol") or (get_bit(i."given columns", 5) = 1 and "i"."side" is distinct from "s"."side") or (get_bit(i."given columns", 6) = 1 and "i"."type" is distinct from "s"."type") or (get_bit(i."given columns", 7) = 1 and "i"."status" is distinct from "s"."status") or (get_bit(i."given columns", 8) = 1 and "i"."size" is distinct from "s"."size") or (get_bit(i."given columns", 9) = 1 and "i"."filledsize" is distinct from "s"."filledsize") or (get_bit(i."given columns", 10) = 1 and "i"."remaining" is distinct from "s"."remaining") or (get_bit(i."given columns", 11) = 1 and "i"."price" is distinct from "s"."price") or (get_bit(i."given columns", 12) = 1 and "i"."timestamp" is distinct from "s"."timestamp") or (get_bit(i."given columns", 13) = 1 and "i"."exchange" is distinct from "s"."exchange")) as is_other from unnest($…) with ordinality as "i" (…, "given columns", "ordinal") left join orders as s on s.id = i.id ), held as materialized ( select …."given columns", "i"."ordinal" from compared as i join orders as s on s.id = i.id where not coalesce("i"."lastupdated" < "s"."lastupdated", false) and ((get_bit(i."given columns", 1) = 1 and "i"."lastupdated" is distinct from "s"."lastupdated") or (get_bit(i."given columns", 2) = 1 and "i"."sessionid" is distinct from "s"."sessionid") or (get_bit(i."given columns", 3) = 1 and "i"."clientorderid" is distinct from "s"."clientorderid") or (get_bit(i."given columns", 4) = 1 and "i"."symbol" is distinct from "s"."symbol") or (get_bit(i."given columns", 5) = 1 and "i"."side" is distinct from "s"."side") or (get_bit(i."given columns", 6) = 1 and "i"."type" is distinct from "s"."type") or (get_bit(i."given columns", 7) = 1 and "i"."status" is distinct from "s"."status") or (get_bit(i."given columns", 8) = 1 and "i"."size" is distinct from "s"."size") or (get_bit(i."given columns", 9) = 1 and "i"."filledsize" is distinct from "s"."filledsize") or (get_bit(i."given columns", 10) = 1 and "i"."remaining" is distinct from "s"."remaining") or (get_bit(i."given columns", 11) = 1 and "i"."price" is distinct from "s"."price") or (get_bit(i."given columns", 12) = 1 and "i"."timestamp" is distinct from "s"."timestamp") or (get_bit(i."given columns", 13) = 1 and "i"."exchange" is distinct from "s"."exchange")) order by i.ordinal for no key update of s ), updated as ( update orders as s set "lastupdated" = case when get_bit(i."given columns", 1) = 1 then "i"."lastupdated" else "s"."lastupdated" end, "sessionid" = case when get_bit(i."given columns", 2) = 1 then "i"."sessionid" else "s"."sessionid" end, "clientorderid" = case when get_bit(i."given columns", 3) = 1 then "i"."clientorderid" else "s"."clientorderid" end, "symbol" = case when get_bit(i."given columns", 4) = 1 then "i"."symbol" else "s"."symbol" end, "side" = case when get_bit(i."given columns", 5) = 1 then "i"."side" else "s"."side" end, "type" = case when get_bit(i."given columns", 6) = 1 then "i"."type" else "s"."type" end, "status" = case when get_bit(i."given columns", 7) = 1 then "i"."status" else "s"."status" end, "size" = case when get_bit(i."given columns", 8) = 1 then "i"."size" else "s"."size" end, "filledsize" = case when get_bit(i."given columns", 9) = 1 then "i"."filledsize" else "s"."filledsize" end, "remaining" = case when get_bit(i."given columns", 10) = 1 then "i"."remaining" else "s"."remaining" end, "price" = case when get_bit(i."given columns", 11) = 1 then "i"."price" else "s"."price" end, "timestamp" = case when get_bit(i."given columns", 12) = 1 then "i"."timestamp" else "s"."timestamp" end, "exchange" = case when get_bit(i."given columns", 13) = 1 then "i"."exchange" else "s"."exchange" end from held as i where s.id = i.id returning s.id ), inserted as ( insert into orders (…) select …, null from compared where is_new and (select count(*) from held) >= 0 order by ordinal on conflict (id) do nothing returning id ) select id, outcome from ( select id, 'inserted' as outcome from inserted union all select id, 'updated' from updated union all select id, case when is_stale then 'stale' else 'unchanged' end from compared where not is_new and (is_stale or not is_other) ) as saved -- ["{\\"o\\"}","{1}","{null}","{null}","{null}","{null}"]"`,
  );
  const [all = ''] = await sent((db) => saveOrders(db, [{ id: 'o', purpose: 'p' }]));
  expect([others, all.length > core.length, all.includes('"purpose"'), core.includes('"purpose"')]).toEqual([
    [],
    true,
    true,
    false,
  ]);
  expect(await sent((db) => saveOrders(db, []).then(() => {}))).toEqual([]);
});

test('fills', async () => {
  const key = { timestamp: 1, id: 'a' };
  const range = { symbol: 'A', fromMs: 0, toMs: 9 };
  expect(
    await sent((db) => insertFills(db, [{ id: 'f', symbol: 'A', tradeId: 'x"y' }], { reportAlike: true })),
  ).toMatchInlineSnapshot(`
    [
      "with inserted as ( insert into "fills" (…) select … from unnest($…) with ordinality as "u" (…) order by ordinal on conflict do nothing returning id ), input as materialized ( select …, ordinal, coalesce(sessionid, '') as "key_1", coalesce(orderid, '') as "key_2", symbol as "key_3", coalesce(lower(side), '') as "key_4", "timestamp" as "key_5", price as "key_6", coalesce(size, amount) as "key_7", coalesce(execid, tradeid::text, '') as "key_8" from ( select …, ordinal from unnest($…) with ordinality as "u" (…) where (select count(*) from inserted) < $n::integer ) as u ), refused as materialized ( select … from input as i where not exists (select from inserted as n where n.id = i.id) ), winners as ( select …, id as earlier_id from input as i where exists (select from inserted as n where n.id = i.id) ), explained as ( -- A full join is never a nested loop, whatever the planner takes the sizes for; offset 0 keeps it one. select …, w.earlier_id from refused as r full join winners as w on "w"."key_1" = "r"."key_1" and "w"."key_2" = "r"."key_2" and "w"."key_3" = "r"."key_3" and "w"."key_4" = "r"."key_4" and "w"."key_5" = "r"."key_5" and "w"."key_6" = "r"."key_6" and "w"."key_7" = "r"."key_7" and "w"."key_8" = "r"."key_8" offset 0 ) select r.ordinal, by_id.is_same, coalesce(stored.id, r.earlier_id) from explained as r left join lateral ( select row(…, lower("f"."side"), coalesce("f"."execid", "f"."tradeid"::text)) is not distinct from row(…, lower("r"."side"), coalesce("r"."execid", "r"."tradeid"::text)) as is_same from fills as f where f.id = r.id ) as by_id on true left join lateral ( select id from fills where coalesce(sessionid, '') = r."key_1" and coalesce(orderid, '') = r."key_2" and symbol = r."key_3" and coalesce(lower(side), '') = r."key_4" and "timestamp" = r."key_5" and price = r."key_6" and coalesce(size, amount) = r."key_7" and coalesce(execid, tradeid::text, '') = r."key_8" limit 1 ) as stored on by_id.is_same is null where r.ordinal is not null -- ["{\\"f\\"}","{null}","{null}","{\\"A\\"}","{null}","{null}"]",
      "select i.ordinal, a.ids from ( select ordinal, coalesce(sessionid, '') as "key_1", coalesce(orderid, '') as "key_2", symbol as "key_3", coalesce(lower(side), '') as "key_4", "timestamp" as "key_5", price as "key_6", coalesce(size, amount) as "key_7", coalesce(execid, tradeid::text, '') as "key_8" from unnest($…) with ordinality as "u" (…) ) as i cross join lateral ( select json_agg(id order by id)::text as ids from ( select id from fills where coalesce(sessionid, '') = i."key_1" and coalesce(orderid, '') = i."key_2" and symbol = i."key_3" and coalesce(lower(side), '') = i."key_4" and "timestamp" = i."key_5" and price = i."key_6" and coalesce(size, amount) = i."key_7" and coalesce(execid, tradeid::text, '') <> i."key_8" order by id limit 100 ) as f ) as a where a.ids is not null -- ["{null}","{null}","{\\"A\\"}","{null}","{null}","{null}"]",
    ]
  `);
  expect(await sent((db) => listFills(db, { sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "select … from fills where sessionid = $1 order by coalesce("timestamp", '9223372036854775807'::bigint), id limit $2 -- ["s",100]",
    ]
  `);
  expect(
    await sent((db) => listFills(db, { sessionId: 's', symbol: 'A', orderId: 'o', limit: 5, after: key })),
  ).toMatchInlineSnapshot(`
    [
      "select … from fills where sessionid = $1 and orderid = $2 and symbol = $3 and (coalesce("timestamp", '9223372036854775807'::bigint), id) > ($4::bigint, $5) order by coalesce("timestamp", '9223372036854775807'::bigint), id limit $6 -- ["s","o","A",1,"a",5]",
    ]
  `);
  expect(
    await sent((db) => listFills(db, { sessionId: 's', after: { timestamp: null, id: 'a' } })),
  ).toMatchInlineSnapshot(`
    [
      "select … from fills where sessionid = $1 and (coalesce("timestamp", '9223372036854775807'::bigint), id) > ('9223372036854775807'::bigint::bigint, $2) order by coalesce("timestamp", '9223372036854775807'::bigint), id limit $3 -- ["s","a",100]",
    ]
  `);
  expect(await sent((db) => listFillsInRange(db, range))).toMatchInlineSnapshot(`
    [
      "select … from ( select … from fills where (symbol, "timestamp") >= ($1::text, $2::bigint) order by symbol, "timestamp", id limit $3 ) as page where symbol = $1 and "timestamp" < $4::bigint order by "timestamp", id -- ["A",0,100,9]",
    ]
  `);
  expect(await sent((db) => listFillsInRange(db, { ...range, after: key }))).toMatchInlineSnapshot(`
    [
      "select … from ( select … from fills where (symbol, "timestamp", id) > ($1::text, $2::bigint, $3::text) order by symbol, "timestamp", id limit $4 ) as page where symbol = $1 and "timestamp" < $5::bigint order by "timestamp", id -- ["A",1,"a",100,9]",
    ]
  `);
  expect(await sent((db) => findLatestFill(db, { symbol: 'A' }))).toMatchInlineSnapshot(`
    [
      "select … from fills where (symbol, "timestamp") >= ($1::text, '-9223372036854775808'::bigint) and (symbol, "timestamp") <= ($1::text, '9223372036854775807'::bigint) order by symbol desc, "timestamp" desc, id desc limit 1 -- ["A"]",
    ]
  `);
  expect(await sent((db) => findLatestFill(db, { sessionId: 's', symbol: 'A' }))).toMatchInlineSnapshot(`
    [
      "select … from fills where sessionid = $1 and symbol = $2 and "timestamp" is not null order by coalesce("timestamp", '9223372036854775807'::bigint) desc, id desc limit 1 -- ["s","A"]",
    ]
  `);
  expect(await sent((db) => listDuplicateFills(db, { after: { firstId: 'a' } }))).toMatchInlineSnapshot(`
    [
      "select max(sessionid), max(orderid), max(symbol), max(lower(side)), max("timestamp"), max(price), max(coalesce(size, amount)), max(coalesce(execid, tradeid::text, '')), count(*), to_json((array_agg(id order by id))[1:100])::text, min(id) from fills where row(coalesce(sessionid, ''), coalesce(orderid, ''), symbol, coalesce(lower(side), ''), "timestamp", price, coalesce(size, amount), coalesce(execid, tradeid::text, '')) is not null group by coalesce(sessionid, ''), coalesce(orderid, ''), symbol, coalesce(lower(side), ''), "timestamp", price, coalesce(size, amount), coalesce(execid, tradeid::text, '') having count(*) > 1 and min(id) > $1 order by min(id) limit $2 -- ["a",100]",
    ]
  `);
});

test('performance', async () => {
  expect(await sent((db) => listPairPerformance(db, { sessionId: 's' }))).toMatchInlineSnapshot(`
    [
      "with picked as materialized ( select symbol, lower(side) as side, price::text::numeric as price, coalesce(size, amount, quantity)::text::numeric as size, coalesce(fees, 'null') not in ('null', '[]', '{}') as is_fees, case when coalesce(fees, 'null') not in ('null', '[]', '{}') then fees else feedata end as fee_document, case when not coalesce(fees, 'null') not in ('null', '[]', '{}') then coalesce(fee::text, feeamount::text) end as fallback from fills where sessionid = $1 ), traded as ( select symbol, count(*) as stored_count, count(*) filter (where is_buy) as buy_count, count(*) filter (where is_sell) as sell_count, coalesce(sum(size) filter (where is_buy), 0) as buy_base, coalesce(sum(size) filter (where is_sell), 0) as sell_base, coalesce(sum(price * size) filter (where is_buy), 0) as buy_quote, coalesce(sum(price * size) filter (where is_sell), 0) as sell_quote from ( select symbol, price, size, side = 'buy' and coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false) as is_buy, side = 'sell' and coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false) as is_sell from picked ) as k group by symbol order by symbol limit $2 ), charged as ( select k.symbol, nullif(line.currency, '') as currency, sum(case when line.amount ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$' then line.amount::numeric end) as amount, count(*) filter (where not line.amount ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') as unreadable_count from picked as k cross join lateral ( select line.currency, line.amount from ( select item, is_listed, jsonb_typeof(item) = 'object' as is_object, jsonb_typeof(item) = 'object' and item ?| array['currency', 'cost', 'amount', 'fee', 'rate'] as is_fee from ( select k.fee_document as item, false as is_listed where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null union all select element, true from jsonb_array_elements( case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end ) as element where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null ) as found offset 0 ) as i cross join lateral ( select case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency, case when is_fee then coalesce( item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end ) when k.fallback is not null then k.fallback when is_listed then case when not is_object or item = '{}' then '?' end when not is_object then item #>> '{}' end as amount union all select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end from jsonb_each_text(case when is_object then item else '{}' end) as named where is_object and (is_fee or k.fallback is null) and (not is_fee or named.key <> all (array['currency', 'cost', 'amount', 'fee', 'rate']) and named.value ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') ) as line where line.amount is not null) as line group by k.symbol, nullif(line.currency, '') ), fee_totals as ( select symbol, sum(unreadable_count) as unreadable_count, json_agg(json_build_object('currency', currency, 'amount', trim_scale(amount)::text) order by currency) filter (where amount is not null)::text as totals from charged group by symbol ) select t.symbol, t.buy_count + t.sell_count, t.buy_count, t.sell_count, t.stored_count - t.buy_count - t.sell_count, trim_scale(t.buy_base + t.sell_base)::text, trim_scale(t.buy_base)::text, trim_scale(t.sell_base)::text, trim_scale(t.buy_quote + t.sell_quote)::text, trim_scale(t.buy_quote)::text, trim_scale(t.sell_quote)::text, trim_scale(round(round(t.buy_quote, 40) / nullif(t.buy_base, 0), 18))::text, trim_scale(round(round(t.sell_quote, 40) / nullif(t.sell_base, 0), 18))::text, trim_scale(t.buy_base - t.sell_base)::text, trim_scale(t.sell_quote - t.buy_quote)::text, trim_scale(round(coalesce( round(least(t.buy_base, t.sell_base) * t.sell_quote, 40) / nullif(t.sell_base, 0) - round(least(t.buy_base, t.sell_base) * t.buy_quote, 40) / nullif(t.buy_base, 0), 0 ), 18))::text, coalesce(f.totals, '[]'), coalesce(f.unreadable_count, 0) from traded as t left join fee_totals as f on f.symbol is not distinct from t.symbol order by t.symbol -- ["s",100]",
    ]
  `);
  expect(
    await sent((db) => listPairPerformance(db, { fromMs: 0, toMs: 1, after: { symbol: 'A' } })),
  ).toMatchInlineSnapshot(`
    [
      "with picked as materialized ( select symbol, lower(side) as side, price::text::numeric as price, coalesce(size, amount, quantity)::text::numeric as size, coalesce(fees, 'null') not in ('null', '[]', '{}') as is_fees, case when coalesce(fees, 'null') not in ('null', '[]', '{}') then fees else feedata end as fee_document, case when not coalesce(fees, 'null') not in ('null', '[]', '{}') then coalesce(fee::text, feeamount::text) end as fallback from fills where "timestamp" >= $1 and "timestamp" < $2 and (symbol > $3 or symbol is null) ), traded as ( select symbol, count(*) as stored_count, count(*) filter (where is_buy) as buy_count, count(*) filter (where is_sell) as sell_count, coalesce(sum(size) filter (where is_buy), 0) as buy_base, coalesce(sum(size) filter (where is_sell), 0) as sell_base, coalesce(sum(price * size) filter (where is_buy), 0) as buy_quote, coalesce(sum(price * size) filter (where is_sell), 0) as sell_quote from ( select symbol, price, size, side = 'buy' and coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false) as is_buy, side = 'sell' and coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false) as is_sell from picked ) as k group by symbol order by symbol limit $4 ), charged as ( select k.symbol, nullif(line.currency, '') as currency, sum(case when line.amount ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$' then line.amount::numeric end) as amount, count(*) filter (where not line.amount ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') as unreadable_count from picked as k cross join lateral ( select line.currency, line.amount from ( select item, is_listed, jsonb_typeof(item) = 'object' as is_object, jsonb_typeof(item) = 'object' and item ?| array['currency', 'cost', 'amount', 'fee', 'rate'] as is_fee from ( select k.fee_document as item, false as is_listed where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null union all select element, true from jsonb_array_elements( case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end ) as element where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null ) as found offset 0 ) as i cross join lateral ( select case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency, case when is_fee then coalesce( item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end ) when k.fallback is not null then k.fallback when is_listed then case when not is_object or item = '{}' then '?' end when not is_object then item #>> '{}' end as amount union all select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end from jsonb_each_text(case when is_object then item else '{}' end) as named where is_object and (is_fee or k.fallback is null) and (not is_fee or named.key <> all (array['currency', 'cost', 'amount', 'fee', 'rate']) and named.value ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') ) as line where line.amount is not null) as line group by k.symbol, nullif(line.currency, '') ), fee_totals as ( select symbol, sum(unreadable_count) as unreadable_count, json_agg(json_build_object('currency', currency, 'amount', trim_scale(amount)::text) order by currency) filter (where amount is not null)::text as totals from charged group by symbol ) select t.symbol, t.buy_count + t.sell_count, t.buy_count, t.sell_count, t.stored_count - t.buy_count - t.sell_count, trim_scale(t.buy_base + t.sell_base)::text, trim_scale(t.buy_base)::text, trim_scale(t.sell_base)::text, trim_scale(t.buy_quote + t.sell_quote)::text, trim_scale(t.buy_quote)::text, trim_scale(t.sell_quote)::text, trim_scale(round(round(t.buy_quote, 40) / nullif(t.buy_base, 0), 18))::text, trim_scale(round(round(t.sell_quote, 40) / nullif(t.sell_base, 0), 18))::text, trim_scale(t.buy_base - t.sell_base)::text, trim_scale(t.sell_quote - t.buy_quote)::text, trim_scale(round(coalesce( round(least(t.buy_base, t.sell_base) * t.sell_quote, 40) / nullif(t.sell_base, 0) - round(least(t.buy_base, t.sell_base) * t.buy_quote, 40) / nullif(t.buy_base, 0), 0 ), 18))::text, coalesce(f.totals, '[]'), coalesce(f.unreadable_count, 0) from traded as t left join fee_totals as f on f.symbol is not distinct from t.symbol order by t.symbol -- [0,1,"A",100]",
    ]
  `);
  const hours = { bucket: 'hour', fromMs: 5, toMs: 7_200_000 } as const;
  expect(await sent((db) => listPairVolume(db, hours))).toMatchInlineSnapshot(`
    [
      "with traded as materialized ( select k.symbol, k."timestamp" - k."timestamp" % $1::bigint as start_ms, count(*) as stored_count, count(*) filter (where coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)) as traded_count, sum(size) filter (where coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)) as base, sum(price * size) filter (where coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)) as quote from ( select symbol, "timestamp", price::text::numeric as price, coalesce(size, amount, quantity)::text::numeric as size from fills where "timestamp" >= $2::bigint and "timestamp" < $3::bigint and symbol is not null) as k group by k.symbol, start_ms ), pairs as ( select distinct symbol from traded ) select b.start_ms, p.symbol, coalesce(v.traded_count, 0), coalesce(v.stored_count - v.traded_count, 0), trim_scale(coalesce(v.base, 0))::text, trim_scale(coalesce(v.quote, 0))::text, trim_scale(round(round(v.quote, 40) / nullif(v.base, 0), 18))::text from generate_series($4::bigint, $3::bigint - 1, $1::bigint) as b (start_ms) cross join pairs as p left join traded as v on v.start_ms = b.start_ms and v.symbol = p.symbol order by b.start_ms, p.symbol limit $5 -- [3600000,5,7200000,0,100]",
    ]
  `);
  expect(
    await sent((db) =>
      listPairVolume(db, { ...hours, symbols: ['A'], after: { bucketStartMs: 0, symbol: 'A' } }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "with named (symbol) as (select distinct s from unnest($1::text::text[]) as s), traded as materialized ( select k.symbol, k."timestamp" - k."timestamp" % $2::bigint as start_ms, count(*) as stored_count, count(*) filter (where coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)) as traded_count, sum(size) filter (where coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)) as base, sum(price * size) filter (where coalesce(abs(price) < 'Infinity' and abs(size) < 'Infinity', false)) as quote from named cross join lateral ( select symbol, "timestamp", price::text::numeric as price, coalesce(size, amount, quantity)::text::numeric as size from fills where "timestamp" >= $3::bigint and "timestamp" < $4::bigint and symbol = named.symbol offset 0) as k group by k.symbol, start_ms ), pairs as ( select distinct symbol from named ) select b.start_ms, p.symbol, coalesce(v.traded_count, 0), coalesce(v.stored_count - v.traded_count, 0), trim_scale(coalesce(v.base, 0))::text, trim_scale(coalesce(v.quote, 0))::text, trim_scale(round(round(v.quote, 40) / nullif(v.base, 0), 18))::text from generate_series($5::bigint, $4::bigint - 1, $2::bigint) as b (start_ms) cross join pairs as p left join traded as v on v.start_ms = b.start_ms and v.symbol = p.symbol where (b.start_ms, p.symbol) > ($6::bigint, $7) order by b.start_ms, p.symbol limit $8 -- ["{\\"A\\"}",3600000,5,7200000,0,0]",
    ]
  `);
});

test('profit and loss: the pairs, then each pair', async () => {
  const pnl = (options: object) =>
    sent((db) => listPairPnl(db, { method: 'fifo', ...options } as Parameters<typeof listPairPnl>[1]));
  await insertFills(drizzle(client), [{ id: 'pnl', symbol: 'A', timestamp: 1 }]);
  expect(await pnl({})).toMatchInlineSnapshot(`
    [
      "with recursive pairs (symbol, ordinal) as ( select min(symbol), 1 from fills where symbol is not null union all select (select min(symbol) from fills where symbol > pairs.symbol), ordinal + 1 from pairs where symbol is not null and ordinal < $n::integer ) select t.symbol, t.unplaced_count from ( select symbol, ( select count(*) from fills where fills.symbol = pairs.symbol and "timestamp" is null ) as unplaced_count from pairs where symbol is not null union all select null, count(*) filter (where "timestamp" is null or symbol is null) from fills where symbol is null having count(*) > 0 ) as t order by t.symbol limit $1 -- [100]",
      "select k.id, k."timestamp"::text, k.side, k.price, k.size, k.is_in_scope, case when k.is_in_scope and (k.fee_document is not null or k.fallback is not null) then ( select json_agg(json_build_array(line.currency, line.amount))::text from ( select line.currency, line.amount from ( select item, is_listed, jsonb_typeof(item) = 'object' as is_object, jsonb_typeof(item) = 'object' and item ?| array['currency', 'cost', 'amount', 'fee', 'rate'] as is_fee from ( select k.fee_document as item, false as is_listed where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null union all select element, true from jsonb_array_elements( case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end ) as element where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null ) as found offset 0 ) as i cross join lateral ( select case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency, case when is_fee then coalesce( item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end ) when k.fallback is not null then k.fallback when is_listed then case when not is_object or item = '{}' then '?' end when not is_object then item #>> '{}' end as amount union all select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end from jsonb_each_text(case when is_object then item else '{}' end) as named where is_object and (is_fee or k.fallback is null) and (not is_fee or named.key <> all (array['currency', 'cost', 'amount', 'fee', 'rate']) and named.value ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') ) as line where line.amount is not null) as line ) end from ( select id, symbol, "timestamp", lower(side) as side, price::text as price, coalesce(size, amount, quantity)::text as size, coalesce(fees, 'null') not in ('null', '[]', '{}') as is_fees, case when coalesce(fees, 'null') not in ('null', '[]', '{}') then fees else feedata end as fee_document, case when not coalesce(fees, 'null') not in ('null', '[]', '{}') then coalesce(fee::text, feeamount::text) end as fallback, true as is_in_scope from fills where (symbol, "timestamp") >= ($1::text, '-9223372036854775808'::bigint) order by symbol, "timestamp", id limit $2 ) as k where k.symbol = $1 and k."timestamp" is not null order by k."timestamp", k.id -- ["A",1000]",
    ]
  `);
  expect(await pnl({ atMs: 7, after: { symbol: '@' }, limit: 5 })).toMatchInlineSnapshot(`
    [
      "with recursive pairs (symbol, ordinal) as ( select min(symbol), 1 from fills where symbol > $1 union all select (select min(symbol) from fills where symbol > pairs.symbol), ordinal + 1 from pairs where symbol is not null and ordinal < $n::integer ) select t.symbol, t.unplaced_count from ( select symbol, ( select count(*) from fills where fills.symbol = pairs.symbol and "timestamp" is null ) as unplaced_count from pairs where symbol is not null union all select null, count(*) filter (where "timestamp" is null or (symbol is null and "timestamp" <= $3::bigint)) from fills where symbol is null having count(*) > 0 ) as t order by t.symbol limit $2 -- ["@",5,7]",
      "select k.id, k."timestamp"::text, k.side, k.price, k.size, k.is_in_scope, case when k.is_in_scope and (k.fee_document is not null or k.fallback is not null) then ( select json_agg(json_build_array(line.currency, line.amount))::text from ( select line.currency, line.amount from ( select item, is_listed, jsonb_typeof(item) = 'object' as is_object, jsonb_typeof(item) = 'object' and item ?| array['currency', 'cost', 'amount', 'fee', 'rate'] as is_fee from ( select k.fee_document as item, false as is_listed where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null union all select element, true from jsonb_array_elements( case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end ) as element where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null ) as found offset 0 ) as i cross join lateral ( select case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency, case when is_fee then coalesce( item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end ) when k.fallback is not null then k.fallback when is_listed then case when not is_object or item = '{}' then '?' end when not is_object then item #>> '{}' end as amount union all select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end from jsonb_each_text(case when is_object then item else '{}' end) as named where is_object and (is_fee or k.fallback is null) and (not is_fee or named.key <> all (array['currency', 'cost', 'amount', 'fee', 'rate']) and named.value ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') ) as line where line.amount is not null) as line ) end from ( select id, symbol, "timestamp", lower(side) as side, price::text as price, coalesce(size, amount, quantity)::text as size, coalesce(fees, 'null') not in ('null', '[]', '{}') as is_fees, case when coalesce(fees, 'null') not in ('null', '[]', '{}') then fees else feedata end as fee_document, case when not coalesce(fees, 'null') not in ('null', '[]', '{}') then coalesce(fee::text, feeamount::text) end as fallback, true as is_in_scope from fills where (symbol, "timestamp") >= ($1::text, '-9223372036854775808'::bigint) order by symbol, "timestamp", id limit $2 ) as k where k.symbol = $1 and k."timestamp" <= $3::bigint order by k."timestamp", k.id -- ["A",1000,7]",
    ]
  `);
  expect(await pnl({ sessionId: 's', atMs: 7, after: { symbol: '@' } })).toMatchInlineSnapshot(`
    [
      "select t.symbol, t.unplaced_count from ( select symbol, count(*) filter (where "timestamp" is null or (symbol is null and "timestamp" <= $1::bigint)) as unplaced_count from fills where sessionid = $2 and (symbol > $3 or symbol is null) group by symbol ) as t order by t.symbol limit $4 -- [7,"s","@",100]",
    ]
  `);
  expect(await pnl({ exchange: 'okx' })).toMatchInlineSnapshot(`
    [
      "select t.symbol, t.unplaced_count from ( select symbol, count(*) filter (where "timestamp" is null or symbol is null) as unplaced_count from (select id from sessions where exchange = $1) as s cross join lateral ( select symbol, "timestamp" from fills where sessionid = s.id offset 0 ) as k group by symbol ) as t order by t.symbol limit $2 -- ["okx",100]",
    ]
  `);
  await insertSession(drizzle(client), { id: 'pnl', exchange: 'okx' });
  await insertFills(drizzle(client), [{ id: 'pnl 2', sessionId: 'pnl', symbol: 'A', timestamp: 1 }]);
  expect((await pnl({ sessionId: 'pnl', atMs: 7 })).slice(1)).toMatchInlineSnapshot(`
    [
      "select k.id, k."timestamp"::text, k.side, k.price, k.size, k.is_in_scope, case when k.is_in_scope and (k.fee_document is not null or k.fallback is not null) then ( select json_agg(json_build_array(line.currency, line.amount))::text from ( select line.currency, line.amount from ( select item, is_listed, jsonb_typeof(item) = 'object' as is_object, jsonb_typeof(item) = 'object' and item ?| array['currency', 'cost', 'amount', 'fee', 'rate'] as is_fee from ( select k.fee_document as item, false as is_listed where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null union all select element, true from jsonb_array_elements( case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end ) as element where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null ) as found offset 0 ) as i cross join lateral ( select case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency, case when is_fee then coalesce( item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end ) when k.fallback is not null then k.fallback when is_listed then case when not is_object or item = '{}' then '?' end when not is_object then item #>> '{}' end as amount union all select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end from jsonb_each_text(case when is_object then item else '{}' end) as named where is_object and (is_fee or k.fallback is null) and (not is_fee or named.key <> all (array['currency', 'cost', 'amount', 'fee', 'rate']) and named.value ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') ) as line where line.amount is not null) as line ) end from ( select id, symbol, "timestamp", lower(side) as side, price::text as price, coalesce(size, amount, quantity)::text as size, coalesce(fees, 'null') not in ('null', '[]', '{}') as is_fees, case when coalesce(fees, 'null') not in ('null', '[]', '{}') then fees else feedata end as fee_document, case when not coalesce(fees, 'null') not in ('null', '[]', '{}') then coalesce(fee::text, feeamount::text) end as fallback, true as is_in_scope from fills where sessionid = $1 and symbol = $2 and "timestamp" is not null and coalesce("timestamp", '9223372036854775807'::bigint) <= $3::bigint order by coalesce("timestamp", '9223372036854775807'::bigint), id limit $4 ) as k where k.symbol = $2 and k."timestamp" <= $3::bigint order by k."timestamp", k.id -- ["pnl","A",7,1000]",
    ]
  `);
  expect((await pnl({ exchange: 'okx' })).slice(1)).toMatchInlineSnapshot(`
    [
      "select k.id, k."timestamp"::text, k.side, k.price, k.size, k.is_in_scope, case when k.is_in_scope and (k.fee_document is not null or k.fallback is not null) then ( select json_agg(json_build_array(line.currency, line.amount))::text from ( select line.currency, line.amount from ( select item, is_listed, jsonb_typeof(item) = 'object' as is_object, jsonb_typeof(item) = 'object' and item ?| array['currency', 'cost', 'amount', 'fee', 'rate'] as is_fee from ( select k.fee_document as item, false as is_listed where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null union all select element, true from jsonb_array_elements( case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end ) as element where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null ) as found offset 0 ) as i cross join lateral ( select case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency, case when is_fee then coalesce( item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end ) when k.fallback is not null then k.fallback when is_listed then case when not is_object or item = '{}' then '?' end when not is_object then item #>> '{}' end as amount union all select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end from jsonb_each_text(case when is_object then item else '{}' end) as named where is_object and (is_fee or k.fallback is null) and (not is_fee or named.key <> all (array['currency', 'cost', 'amount', 'fee', 'rate']) and named.value ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') ) as line where line.amount is not null) as line ) end from ( select id, symbol, "timestamp", lower(side) as side, price::text as price, coalesce(size, amount, quantity)::text as size, coalesce(fees, 'null') not in ('null', '[]', '{}') as is_fees, case when coalesce(fees, 'null') not in ('null', '[]', '{}') then fees else feedata end as fee_document, case when not coalesce(fees, 'null') not in ('null', '[]', '{}') then coalesce(fee::text, feeamount::text) end as fallback, coalesce((select exchange from sessions where sessions.id = fills.sessionid) = $1, false) as is_in_scope from fills where (symbol, "timestamp") >= ($2::text, '-9223372036854775808'::bigint) order by symbol, "timestamp", id limit $3 ) as k where k.symbol = $2 and k."timestamp" is not null order by k."timestamp", k.id -- ["okx","A",1000]",
    ]
  `);
  const equity = await sent((db) => listEquity(db, { bucket: 'hour', fromMs: 0, toMs: 8, method: 'fifo' }));
  expect(equity).toEqual(await pnl({ atMs: 7, limit: 1000 }));
});
