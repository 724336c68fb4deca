import { liveColumns } from '../../support/facts.ts';
import { oddities } from '../../support/oddities.ts';
import { serviceIds } from '../services/kinds.ts';

/** Sessions of the first hour whose status a service changes all the time: `s.touch.1` and on. */
export const touchedSessions = 400;

/** So many that a run takes a second, and five hundred of them less than an hour. */
const sessions = 4_000;
const orders = 4_000;
const fills = 15_000;

/** The rows of the first hour, of a database with the live schema. */
export const firstRows = `
  ${oddities}
  insert into sessions (id, symbol, status, budget, exchange, startedat, sessionlength)
  select 's.touch.' || n, 'BTC/USD', 'open', 0, 'kraken', 1700000000000 + n, 0
  from generate_series(1, ${touchedSessions}) as n;
  insert into sessions (id, symbol, tradingpair, exchange, status, startedat, settlesession, settledcomplete)
  select 'g' || n, case when n % 10 < 7 then (array['BTC/USD', 'ETH/USD', 'SOL/USD'])[1 + n % 3] end,
         case when n % 10 < 9 then 'BTC/USD' end, 'kraken', 'completed', 1700000000000 + n, n % 2 = 0,
         case n % 3 when 0 then true when 1 then false end
  from generate_series(1, ${sessions}) as n;
  insert into orders (id, sessionid, symbol, side, status, price, "timestamp")
  select 'g' || n, 'g' || n, 'BTC/USD', 'sell', 'OPEN', n, n from generate_series(1, ${orders}) as n;
  insert into fills (id, sessionid, orderid, symbol, side, price, size, "timestamp", tradeid)
  select 'g' || n, 'g' || 1 + n % ${sessions}, 'g' || 1 + n % ${orders}, 'BTC/USD', 'BUY', n % 1000, 1, n, n
  from generate_series(1, ${fills}) as n;
  analyze;`;

/** Fills that are stored twice: what the unique index refuses, and `dedupe` moves. */
export const plantDuplicates = `
  insert into fills (id, sessionid, orderid, symbol, side, price, size, "timestamp", tradeid)
  select 'dup' || n, sessionid, orderid, symbol, lower(side), price, size, "timestamp", tradeid
  from generate_series(1, 1500) as n join fills on id = 'g' || n * 7
  on conflict (id) do nothing`;

/** Columns that transactions of others change while they are in the way. */
const changing = ['lastmigratedat', 'lastfilltimestamp'];
const archive = 'multi_pair_db.archived_fills';

/**
 * One row: how many live rows of the first hour there are, and a sum of their hashes, whether a fill stands in `fills` or in
 * the archive of `dedupe`; a row that is in both, or in none, changes it. Copies that were planted count as well.
 *
 * @param hasArchive whether there is one
 */
export function checksumOfFirstRows(hasArchive: boolean): string {
  const rowsOf = (table: string, from: string): string => {
    const columns = (liveColumns[table] ?? [])
      .filter((name) => !changing.includes(name))
      .map((name) => `"${name}"`)
      .join(', ');
    return `select row('${table}', ${columns})::text as row_text
      from ${from} where id !~ '${serviceIds}'`;
  };
  const tables = Object.keys(liveColumns).map((table) => rowsOf(table, table));
  return `
    select sum(hashtextextended(row_text, 0))::text as checksum, count(*)::int as row_count
    from (
      ${[...tables, ...(hasArchive ? [rowsOf('fills', archive)] : [])].join(' union all ')}
      union all
      select m::text from migrations as m
    ) as all_rows`;
}
