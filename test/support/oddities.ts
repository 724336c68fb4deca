import { liveColumns } from './facts.ts';

/**
 * Rows of the live database that look wrong and must all survive: as SQL, for a database with the legacy schema.
 * Inserted as the live services did, before any of our columns exist.
 */
export const oddities = `
  insert into sessions (id, sessionid, symbol, tradingpair, exchange, settlesession, settledcomplete, startedat, budget, settings)
  values
    ('symbol', 'one', 'BTC/USD', null, 'kraken', true, null, 1700000000001, 0.1, '{"spread": 0.1}'),
    ('trading pair', 'two', null, 'XBTUSDT', 'bitmex', true, false, 1700000000002, 1e30, '[]'),
    ('both', null, 'ETH/USD', 'BTC/USD', 'kraken', true, true, 1700000000003, null, 'null'),
    ('neither', null, null, null, null, true, null, 1700000000004, null, null),
    ('empty symbol', null, '', 'KRW-LAMB', 'upbit', null, null, 1700000000005, null, '"text"'),
    ('empty both', null, '', '', null, null, null, 1700000000006, null, null),
    ('never started', null, 'BTC/USD', null, 'kraken', true, null, null, null, null),
    ('', null, 'SOL/USD', null, 'kraken', null, null, 9007199254740993, null, null),
    ('quotes "''\\ 😀', null, E'we"ird''\\\\ 😀', null, 'kraken', null, null, -1, null, null);

  insert into orders (id, sessionid, symbol, side, status, size, price, "timestamp", data)
  values
    ('order', 'symbol', 'BTC/USD', 'sell', 'open', 1.5, 60000.5, 1700000000001, '{"exchangeOrderId": "X-1"}'),
    ('order of nobody', null, null, null, null, null, null, null, null);

  insert into fills (id, orderid, sessionid, symbol, side, size, amount, price, execid, tradeid, "timestamp", fees)
  values
    ('fill', 'order', 'symbol', 'BTC/USD', 'SELL', 0.5, null, 60000.5, null, 9223372036854775807, 1700000000001, '{"USD": 0.1}'),
    ('amount', 'order', 'symbol', 'BTC/USD', 'sell', null, 0.25, 60000.5, null, null, 1700000000001, null),
    ('no order', null, 'symbol', 'BTC/USD', null, 0.25, null, 60001, 'c0ffee-uuid', null, 1700000000002, null),
    ('a buy', null, 'symbol', 'BTC/USD', 'BUY', 0.25, null, 60001, null, null, 1700000000003, null),
    ('and a sell of one moment', null, 'symbol', 'BTC/USD', 'sell', 0.25, null, 60001, null, null, 1700000000003, null),
    ('nothing known', null, null, null, null, null, null, null, null, null, null, null),
    ('nothing known either', null, null, null, null, null, null, null, null, null, null, null);

  create table migrations (id serial primary key, name text, executed_at timestamp);
  insert into migrations (name, executed_at) values ('000_initial', '2024-01-01');
`;

/** The same fill, stored twice: what the unique index refuses. */
export const duplicateFill = `
  insert into fills (id, orderid, sessionid, symbol, side, size, amount, price, tradeid, "timestamp")
  select 'stored twice', orderid, sessionid, symbol, lower(side), amount, size, price, tradeid, "timestamp" from fills where id = 'fill'`;

/** The rows of a table as text, each with the columns that the live database has: whatever we have added is left out. */
const rowsOf = ([table, columns]: readonly [string, readonly string[]]): string =>
  `select '${table} ' || to_jsonb(r)::text as row_text from (select ${columns.map((name) => `"${name}"`).join(', ')} from ${table}) as r`;

/** One row: a checksum of every live column of every row, of the tables and of the older runner's own table. */
export const checksumOfOldColumns = `
  select md5(string_agg(row_text, '|' order by row_text collate "C")) as checksum, count(*)::int as row_count
  from (
    ${Object.entries(liveColumns).map(rowsOf).join(' union all ')}
    union all
    select 'migrations ' || to_jsonb(m)::text from migrations as m
  ) as all_rows`;

/** One row: how many sessions break what the migrations promise. */
export const brokenPromises = `
  select
    count(*) filter (where pair_count is distinct from jsonb_array_length(pairs))::int as miscounted,
    count(*) filter (where pairs = '[]' and coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is not null)::int as without_pairs
  from sessions`;
