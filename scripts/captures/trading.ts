import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { readLegacySchema } from '../../test/support/migrations.ts';
import type { TestServer } from '../../test/support/server.ts';

/** Of sessions, orders and fills each. */
const rows = 50_000;

/** The database, as one of its roles. */
export const urlOf = (server: TestServer, role: 'migrator' | 'services' | 'analyst'): string =>
  server.url('trading').replace('postgres@', `${role}@`);

/** Makes the live single-pair database anew, as the night finds it. It belongs to a role that is no superuser. */
export async function createLiveDatabase(server: TestServer): Promise<void> {
  const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
  await admin.unsafe('drop database if exists trading with (force)');
  await admin.unsafe('drop role if exists migrator, services, analyst');
  await admin.unsafe(`
    create role migrator login; create role services login; create role analyst login;
    grant pg_read_all_stats, pg_signal_backend to migrator;
    grant pg_read_all_data to services, analyst; grant pg_write_all_data to services`);
  await admin.unsafe('create database trading owner migrator');
  const sql = postgres(urlOf(server, 'migrator'), { max: 1, onnotice: () => {} });
  await sql.unsafe(await readLegacySchema());
  const now = Date.now();
  await sql.unsafe(`
    insert into sessions (id, symbol, tradingpair, exchange, strategy, status, startedat, settlesession, settledcomplete, settings)
    select 's' || i, case when i % 10 < 8 then pair end, case when i % 10 >= 8 then pair end, 'kraken', 'spread',
           'completed', ${now} - (${rows} - i) * 8000::bigint, i % 10 < 7, case when i < ${rows} * 0.95 then true end,
           '{"depth": 5, "spread": 0.002}'
    from generate_series(1, ${rows}) as i, lateral (select (array['BTC/USD', 'ETH/USD', 'SOL/USD'])[1 + i % 3]) as p (pair)`);
  await sql.unsafe(`
    insert into orders (id, sessionid, symbol, side, type, status, size, price, timestamp)
    select 'o' || i, id, coalesce(symbol, tradingpair), case when i % 2 = 0 then 'buy' else 'sell' end, 'limit',
           case when i % 1000 = 0 then 'open' else 'filled' end, 0.5, 100 + i % 1000, startedat + 1000
    from generate_series(1, ${rows}) as i join sessions on id = 's' || i`);
  await sql.unsafe(`
    insert into fills (id, orderid, sessionid, symbol, side, size, price, timestamp, tradeid)
    select 'f' || i, id, sessionid, symbol, side, size, price, timestamp + 500, i
    from generate_series(1, ${rows}) as i join orders on id = 'o' || i`);
  await sql.unsafe('vacuum analyze sessions, orders, fills');
  await sql.end();
  // A live database has had checkpoints; without one, new segments of the WAL are filled with zeros while trades wait.
  await admin.unsafe('checkpoint');
  await admin.end();
}

/** Services that trade until they are disposed: three sessions, each with a statement some thirty times a second. */
export async function startTrading(server: TestServer): Promise<AsyncDisposable> {
  const run = Date.now();
  let trades = 0;
  const services: Record<string, (sql: Sql, id: string) => Promise<unknown>> = {
    ingestion: async (sql, id) => {
      const trade = `${run} ${++trades}`;
      await sql`insert into orders (id, sessionid, symbol, side, status) values (${trade}, ${id}, 'BTC/USD', 'buy', 'filled')`;
      await sql`
        insert into fills (id, orderid, sessionid, symbol, side, size, price, timestamp, execid)
        values (${trade}, ${trade}, ${id}, 'BTC/USD', 'buy', 0.1, 60000, ${Date.now()}, ${trade})`;
    },
    settlement: (sql, id) => sql`update sessions set lastsettleattempt = ${Date.now()} where id = ${id}`,
    analytics: (sql, id) => sql`select symbol, size, price from fills where sessionid = ${id}`,
  };
  let isOpen = true;
  const open = Object.entries(services).map(async ([name, trade]) => {
    const sql = postgres(urlOf(server, 'services'), {
      max: 1,
      connection: { application_name: name },
      onnotice: () => {},
    });
    while (isOpen) {
      await trade(sql, `s${1 + Math.floor(Math.random() * rows)}`);
      await sleep(25);
    }
    await sql.end();
  });
  return {
    [Symbol.asyncDispose]: async () => {
      isOpen = false;
      await Promise.all(open);
    },
  };
}
