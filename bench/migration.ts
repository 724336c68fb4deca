import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { WaitHistogram, type WaitSummary } from '../src/migrate/canary/histogram.ts';
import { migrate, readLegacySchema } from '../test/support/migrations.ts';
import { startServer } from '../test/support/server.ts';
import type { EngineMessage } from './engine.ts';
import { type Benchmark, type Measurement, ms } from './measure.ts';

/** BENCH_ROWS for a first look: the goals are for a million. */
const SESSIONS = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const FILLS = SESSIONS;
/** So long the same load runs without the migration. */
const idleMs = 10_000;

/** Runs the migration, and says when it begins to work; how long that took, ms, and what it has to say. */
type Way = (url: string, onBegin: () => void) => Promise<{ readonly tookMs: number; readonly note: string }>;

const rows = SESSIONS.toLocaleString('en');

/** What readers and writers wait while as many sessions as fills migrate under load, against the same load without. */
export const migrationUnderLoad: Benchmark = {
  name: 'migration',
  measure: async () => {
    const { idle, during, tookMs, note } = await migrateUnderLoad(runEngine);
    return [
      {
        what: `longest wait while ${rows} sessions and as many fills migrate under load`,
        measured: ms(during.longestMs),
        goal: '≤ 100 ms, ≤ 2 × idle',
        against: `idle ${format(idle)}; during ${format(during)}`,
        ok: during.longestMs <= 100 && during.longestMs <= 2 * idle.longestMs,
      },
      {
        what: 'p99.9 of these waits / idle',
        measured: `${(during.p999Ms / idle.p999Ms).toFixed(2)} ×`,
        goal: '≤ 1.3 ×',
        against: `idle ${ms(idle.p999Ms)}`,
        ok: during.p999Ms <= 1.3 * idle.p999Ms,
      },
      {
        what: 'the whole migration',
        measured: `${(tookMs / 1_000).toFixed(1)} s`,
        goal: '≤ 45 s',
        against: note,
        ok: tookMs <= 45_000,
      },
    ];
  },
};

/** The same by stock drizzle, where nobody measures and a batch rests for as long as it took. */
export const migrationByStock: Benchmark = {
  name: 'migration-stock',
  measure: () => compare('stock drizzle', timed(migrate)),
};

/** The way of the older attempt. */
export const migrationAtOnce: Benchmark = {
  name: 'migration-at-once',
  measure: () => compare('columns and backfill in one transaction', timed(migrateInOneTransaction)),
};

async function compare(what: string, way: Way): Promise<Measurement[]> {
  const { idle, during, tookMs } = await migrateUnderLoad(way);
  return [
    {
      what: `longest wait, ${what}, ${rows} + ${rows}`,
      measured: ms(during.longestMs),
      goal: '',
      against: `idle ${format(idle)}; during ${format(during)}; took ${(tookMs / 1_000).toFixed(1)} s`,
      ok: undefined,
    },
  ];
}

const format = ({ p50Ms, p99Ms, p999Ms, longestMs }: WaitSummary): string =>
  `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, p99.9 ${ms(p999Ms)}, longest ${ms(longestMs)}`;

const timed =
  (migration: (url: string) => Promise<void>): Way =>
  async (url, onBegin) => {
    onBegin();
    const start = performance.now();
    await migration(url);
    return { tookMs: performance.now() - start, note: '' };
  };

/** Our engine, in a process of its own: the clients of this one are not to wait for its JavaScript. */
const runEngine: Way = (url, onBegin) =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('engine.ts', import.meta.url)), [url]);
    child.on('message', (message: EngineMessage) => {
      if (message.kind === 'begun') onBegin();
      else resolve(message);
    });
    child.once('exit', (code) => reject(new Error(`the engine has ended with ${code}`)));
  });

interface Waits {
  readonly idle: WaitSummary;
  readonly during: WaitSummary;
  readonly tookMs: number;
  readonly note: string;
}

/** A live single-pair database in a server of its own, with the settings of a server that must not lose a commit. */
async function migrateUnderLoad(way: Way): Promise<Waits> {
  const server = await startServer(18, { shared_buffers: '1GB', max_wal_size: '8GB', fsync: 'on' });
  try {
    const url = server.url('postgres');
    await loadLiveDatabase(url);
    return await measureUnderLoad(url, way);
  } finally {
    await server.destroy();
  }
}

async function loadLiveDatabase(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(await readLegacySchema());
  await sql.unsafe(`
    insert into sessions (id, symbol, tradingpair, exchange, status, startedat, settlesession, settledcomplete, data)
    select 's' || lpad(i::text, 8, '0'),
           case when i % 10 < 7 then (array['BTC/USD', 'ETH/USD', 'SOL/USD'])[1 + i % 3] end,
           case when i % 10 < 9 then 'BTC/USD' end,
           'kraken', 'completed', 1700000000000 + i * 1000, i % 2 = 0,
           case i % 3 when 0 then true when 1 then false end,
           jsonb_build_object('note', repeat('x', 200))
    from generate_series(1, ${SESSIONS}) as i`);
  await sql.unsafe(`
    insert into fills (id, sessionid, symbol, side, size, price, "timestamp", tradeid)
    select 'f' || i, 's' || lpad((1 + i % ${SESSIONS})::text, 8, '0'), 'BTC/USD', 'buy', 0.5, 60000 + i % 100,
           1700000000000 + i, i
    from generate_series(1, ${FILLS}) as i`);
  await sql.unsafe('vacuum analyze');
  // A live database has had checkpoints, and uses old WAL segments again. Without one the server fills a new segment with
  // zeros every 16 MB, and commits wait for that: 185 ms once, 60 ms all the time.
  await sql.unsafe('checkpoint');
  await sql.end();
}

/** Runs the migration while readers and writers go on, each timing every statement of its own. */
async function measureUnderLoad(url: string, way: Way): Promise<Waits> {
  let histogram = new WaitHistogram();
  let running = true;
  const client = async (statement: (sql: postgres.Sql, random: number) => Promise<unknown>) => {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    await sql`select 1`;
    while (running) {
      const start = performance.now();
      await statement(sql, 1 + Math.floor(Math.random() * SESSIONS));
      histogram.record(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await sql.end();
  };
  const id = (n: number) => `s${String(n).padStart(8, '0')}`;
  let inserted = 0;
  const clients = [
    client((sql, n) => sql`select id, symbol, status from sessions where id = ${id(n)}`),
    client((sql, n) => sql`select id, price from fills where sessionid = ${id(n)}`),
    client((sql, n) => sql`update sessions set status = 'running' where id = ${id(n)}`),
    client((sql) => sql`insert into sessions (id, symbol) values (${`n${++inserted}`}, 'ETH/USD')`),
    client(
      (sql, n) =>
        sql`insert into fills (id, sessionid, symbol, price, size, "timestamp", execid)
            values (${`n${++inserted}`}, ${id(n)}, 'BTC/USD', 1, 1, ${n}, ${`n${inserted}`})`,
    ),
  ];
  const restart = (): WaitSummary => {
    const summary = histogram.summarize();
    histogram = new WaitHistogram();
    if (summary === undefined) throw new Error('no client has run');
    return summary;
  };
  try {
    // The load alone, for two seconds: connections are open and caches warm before the clock starts.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    restart();
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    let idle: WaitSummary | undefined;
    const done = await way(url, () => {
      idle ??= restart();
    });
    if (idle === undefined) throw new Error('the migration has not begun');
    return { idle, during: restart(), ...done };
  } finally {
    running = false;
    await Promise.all(clients);
  }
}

async function migrateInOneTransaction(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.begin(async (tx) => {
    await tx`alter table sessions add column pairs jsonb default '[]', add column pair_count integer default 0`;
    await tx`alter table orders add column pair_index integer default 0`;
    await tx`update sessions set pairs = jsonb_build_array(coalesce(symbol, tradingpair)), pair_count = 1
             where coalesce(symbol, tradingpair) is not null`;
  });
  await sql.end();
}
