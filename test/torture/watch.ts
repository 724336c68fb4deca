import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import type { TestLine } from '../support/endpoints.ts';
import { nowMs } from './services/clock.ts';
import { describeSurprise } from './services/errors.ts';
import { needsLock } from './work/sights.ts';

/** A wait for a lock. */
export interface Queue {
  readonly service: string;
  readonly seenAtMs: number;
  readonly waitedMs: number;
  /**
   * An autovacuum stands at its head. Who starts a service waits for it until it is cancelled, which the server does after
   * `deadlock_timeout` (1 s), and others wait behind him: that is not ours.
   */
  readonly isBehindVacuum: boolean;
  readonly text: string;
}

/** What machine and server were at, at a moment: tells what a wait was for where no lock was seen. */
export interface Look {
  readonly atMs: number;
  /** So long the server took to answer this very question. */
  readonly tookMs: number;
  readonly text: string;
}

interface Session {
  readonly pid: number;
  readonly query: string;
  readonly startedAt: string;
  readonly holdsLock: boolean;
}

/** Sees what the sessions of a command do, by a session of its own. */
export interface Watch extends AsyncDisposable {
  /** Statements that need the lock of the migrations, and were seen twice without it. */
  unlocked(): readonly string[];
  /** Who waited for a lock for longer than a moment, and for whom, each as it was seen last. */
  queues(): readonly Queue[];
  /** What was at work, some times a second. */
  looks(): readonly Look[];
}

const lookEveryMs = 40;

const look = `
  select a.pid, a.query, a.query_start::text as "startedAt", exists (
           select from pg_locks as l
           where l.pid = a.pid and l.locktype = 'advisory' and l.granted and l.objsubid = 1
             and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('multi-pair-db', 0)) as "holdsLock"
  from pg_stat_activity as a
  where a.client_port = any($1) and a.state = 'active'`;

/** Who waits for a lock, and what those do that hold it: tells whose a wait was. */
const lookAtQueues = `
  select distinct on (a.pid) a.pid, a.application_name as service, l.waitstart::text as since, a.query, blocker.query as "forQuery", blocker.state as "forState",
         (select string_agg(distinct coalesce(state, '') || ': ' || left(split_part(ltrim(query), E'\\n', 1), 60), '; ')
          from pg_stat_activity where pid = any (pg_blocking_pids(b.pid))) as "behindThat",
         (extract(epoch from clock_timestamp() - l.waitstart) * 1000)::int as "waitedMs"
  from pg_locks as l
  join pg_stat_activity as a using (pid)
  cross join lateral unnest(pg_blocking_pids(a.pid)) as b (pid)
  left join pg_stat_activity as blocker on blocker.pid = b.pid
  where not l.granted and l.waitstart < clock_timestamp() - interval '150 ms'`;

/** Every so many looks; pg_blocking_pids stops all that take locks for a moment. */
const looksBetween = 2;

/** Who works or waits, and for what: one line. */
const lookAtWork = `
  select string_agg(what || case when sessions > 1 then ' ×' || sessions else '' end, ', ' order by sessions desc, what) as work
  from (
    select coalesce(wait_event_type || ':' || wait_event, 'on the processor') || ' (' ||
             case when backend_type = 'client backend' then left(split_part(ltrim(query), E'\\n', 1), 40) else backend_type end || ')' as what,
           count(*) as sessions
    from pg_stat_activity
    where pid <> pg_backend_pid() and coalesce(wait_event_type, '') <> 'Activity'
      and (state in ('active', 'idle in transaction', 'fastpath function call') or backend_type <> 'client backend')
    group by 1
  ) as seen`;
const workEveryMs = 200;

export function startWatch(url: string, line: TestLine): Watch {
  const server = openAsker(url);
  const unlocked = new Set<string>();
  const seen = new Map<number, string>();
  const queues = new Map<string, Queue>();
  const looks: Look[] = [];
  let isEnded = false;
  const done = (async () => {
    for (let looked = 0; !isEnded; looked++) {
      if (looked % looksBetween === 0) await noteQueues(server, queues);
      if (nowMs() - (looks.at(-1)?.atMs ?? 0) >= workEveryMs) looks.push(await lookAround(server));
      const sessions = await server.ask<Session>(look, [line.clientPorts()]);
      for (const { pid, query, startedAt, holdsLock } of sessions ?? []) {
        const mark = `${startedAt} ${query}`;
        // Seen twice: between the two looks of one query the lock may just have been given back.
        if (!holdsLock && needsLock.test(query) && seen.get(pid) === mark) unlocked.add(firstLine(query));
        seen.set(pid, !holdsLock && needsLock.test(query) ? mark : '');
      }
      await sleep(lookEveryMs);
    }
  })();
  // It is awaited at the end, and thrown there.
  done.catch(() => {});
  return {
    unlocked: () => [...unlocked],
    queues: () => [...queues.values()],
    looks: () => looks,
    [Symbol.asyncDispose]: async () => {
      isEnded = true;
      await done.finally(() => server[Symbol.asyncDispose]());
    },
  };
}

/** A session that asks the server, whatever becomes of that. */
interface Asker extends AsyncDisposable {
  /** Undefined while the server is away. What it says against a question is thrown: a look that fails has seen nothing. */
  ask<Row extends object>(question: string, given?: readonly number[][]): Promise<readonly Row[] | undefined>;
}

/** postgres.js may never answer for a server that goes away: what is asked next is asked on a new connection. */
const lostAfterMs = 5_000;

function openAsker(url: string): Asker {
  const open = (): Sql =>
    postgres(url, { max: 1, backoff: () => 0.05, connect_timeout: 2, onnotice: () => {} });
  let sql = open();
  return {
    ask: async <Row extends object>(question: string, given: readonly number[][] = []) => {
      const late = sleep(lostAfterMs, undefined, { ref: false });
      try {
        const rows = await Promise.race([sql.unsafe<Row[]>(question, [...given]), late]);
        if (rows !== undefined) return rows;
      } catch (error) {
        if (describeSurprise(error) !== undefined) throw error;
        await sleep(50);
        return undefined;
      }
      await sql.end({ timeout: 1 });
      sql = open();
      return undefined;
    },
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  };
}

async function lookAround(server: Asker): Promise<Look> {
  const atMs = nowMs();
  const rows = await server.ask<{ work: string | null }>(lookAtWork);
  const work = rows === undefined ? 'the server does not answer' : (rows[0]?.work ?? 'nobody is at work');
  const tookMs = Math.round(nowMs() - atMs);
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return { atMs, tookMs, text: `load ${load}, asked for ${tookMs} ms: ${work}` };
}

interface QueueRow {
  readonly pid: number;
  readonly service: string;
  readonly since: string;
  readonly query: string;
  readonly forQuery: string | null;
  readonly forState: string | null;
  /** For whom those wait in turn. */
  readonly behindThat: string | null;
  readonly waitedMs: number;
}

async function noteQueues(server: Asker, queues: Map<string, Queue>): Promise<void> {
  const rows = await server.ask<QueueRow>(lookAtQueues);
  for (const { pid, service, since, query, forQuery, forState, behindThat, waitedMs } of rows ?? []) {
    const what = firstLine(query).slice(0, 60);
    const holder = `${forState ?? 'prepared'}: ${firstLine(forQuery ?? '').slice(0, 60)}`;
    const next = behindThat === null ? '' : `, which waits behind (${behindThat})`;
    const text = `${service} (${what}) waited ${waitedMs} ms for a lock, behind (${holder})${next}`;
    const isBehindVacuum = /\bautovacuum: /.test(holder + next);
    queues.set(`${pid} ${since}`, { service, seenAtMs: nowMs(), waitedMs, isBehindVacuum, text });
  }
}

const firstLine = (query: string): string => query.trim().split('\n', 1)[0] ?? '';
