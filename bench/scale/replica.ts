import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { openConnection } from '../../src/connection/open.ts';
import { applyMigrations } from '../../src/own/index.ts';
import { listSessionsByPair, listSessionsToSettle } from '../../src/queries/index.ts';
import { startStandby } from '../../test/support/server.ts';
import { type Benchmark, type Measurement, median, medians, ms } from '../measure.ts';
import { rowCount, withLiveDatabases } from '../migration/live-database.ts';
import { startTrading } from '../migration/trading.ts';

const rounds = 100;

/** The read side over a streaming replica: what a page takes there, and how long what is committed takes to be seen. */
export const replica: Benchmark = {
  name: 'replica',
  onlyByName: true,
  measure: () =>
    withLiveDatabases(async (next, server) => {
      const url = await next();
      await migrate(url);
      const standby = await startStandby(server);
      try {
        const trading = await startTrading(url, rowCount);
        try {
          return await measureReads(url, standby.url(new URL(url).pathname.slice(1)));
        } finally {
          await trading.stop();
        }
      } finally {
        await standby.destroy();
      }
    }),
};

async function migrate(url: string): Promise<void> {
  await using connection = await openConnection(url);
  await applyMigrations(connection, { baselineMs: 0 });
  await connection.query('vacuum (analyze) sessions, orders, fills');
}

async function measureReads(url: string, standbyUrl: string): Promise<Measurement[]> {
  const [primary, standby] = [url, standbyUrl].map((of) => postgres(of, { max: 1, onnotice: () => {} }));
  if (primary === undefined || standby === undefined) throw new Error('two URLs are two clients');
  try {
    const [here, there] = [drizzle(primary), drizzle(standby)];
    const took = await medians(rounds, {
      discoveryHere: () => listSessionsToSettle(here, { startedAfterMs: 0 }),
      discoveryThere: () => listSessionsToSettle(there, { startedAfterMs: 0 }),
      containmentHere: () => listSessionsByPair(here, { pair: 'BTC/USD' }),
      containmentThere: () => listSessionsByPair(there, { pair: 'BTC/USD' }),
    });
    const lags = await measureLags(primary, standby);
    return [
      compare('settlement discovery', took.discoveryThere, took.discoveryHere),
      compare('pair containment', took.containmentThere, took.containmentHere),
      {
        what: 'from the commit until a replica shows it, under trading',
        measured: ms(median(lags)),
        goal: '',
        against: `longest of ${rounds}: ${ms(Math.max(...lags))}`,
        ok: undefined,
      },
    ];
  } finally {
    await Promise.all([primary.end(), standby.end()]);
  }
}

const compare = (what: string, thereMs: number, hereMs: number): Measurement => ({
  what: `${what} on a replica, ${rowCount.toLocaleString('en')} sessions under trading`,
  measured: ms(thereMs),
  goal: '',
  against: `on the primary ${ms(hereMs)}`,
  ok: undefined,
});

/** Asks until it is there: a look takes less than half a millisecond. */
async function measureLags(primary: Sql, standby: Sql): Promise<number[]> {
  const lags: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const id = `lag ${n}`;
    await primary`insert into sessions (id, symbol) values (${id}, 'BTC/USD')`;
    const committedAt = performance.now();
    while ((await standby`select from sessions where id = ${id}`).length === 0);
    lags.push(performance.now() - committedAt);
  }
  return lags;
}
