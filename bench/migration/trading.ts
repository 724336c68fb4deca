import postgres from 'postgres';
import { WaitHistogram, type WaitSummary } from '../../src/migrate/canary/histogram.ts';

/** Readers and writers at work, each timing every statement of its own. */
export interface Trading {
  /** What they have waited since the last call, or since they are warm. */
  takeWaits(): WaitSummary;
  stop(): Promise<void>;
}

/** Starts them on the first so many sessions, and comes back when their connections are open and the caches warm. */
export async function startTrading(url: string, rows: number): Promise<Trading> {
  let histogram = new WaitHistogram();
  let running = true;
  let inserted = 0;
  // A database that has been traded on before holds the rows of that time.
  const startedAt = Date.now();
  const newId = () => `${startedAt}-${++inserted}`;
  const client = async (statement: (sql: postgres.Sql, random: number) => Promise<unknown>) => {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    await sql`select 1`;
    while (running) {
      const start = performance.now();
      await statement(sql, 1 + Math.floor(Math.random() * rows));
      histogram.record(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await sql.end();
  };
  const id = (n: number) => `s${String(n).padStart(8, '0')}`;
  const clients = [
    client((sql, n) => sql`select id, symbol, status from sessions where id = ${id(n)}`),
    client((sql, n) => sql`select id, price from fills where sessionid = ${id(n)}`),
    client((sql, n) => sql`update sessions set status = 'running' where id = ${id(n)}`),
    client((sql) => sql`insert into sessions (id, symbol) values (${newId()}, 'ETH/USD')`),
    client(
      (sql, n) =>
        sql`insert into fills (id, sessionid, symbol, price, size, "timestamp", execid)
            values (${newId()}, ${id(n)}, 'BTC/USD', 1, 1, ${n}, ${newId()})`,
    ),
  ];
  const takeWaits = (): WaitSummary => {
    const summary = histogram.summarize();
    histogram = new WaitHistogram();
    if (summary === undefined) throw new Error('no client has run');
    return summary;
  };
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  takeWaits();
  return {
    takeWaits,
    stop: async () => {
      running = false;
      await Promise.all(clients);
    },
  };
}
