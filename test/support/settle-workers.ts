import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { SettlementCounts } from '../../src/queries/index.ts';
import type { WorkerEvent } from './settle-worker.ts';

/** When a handler was at a session: until its worker was killed, where that came first. */
export interface Visit {
  readonly id: string;
  readonly beginMs: number;
  readonly endMs: number;
}

/** A worker process, as its parent sees it. */
export interface SettleWorker {
  begin(): void;
  /** How many handlers have begun. */
  begun(): number;
  /** Ends the process at once: SIGKILL. */
  kill(): Promise<void>;
  /** Stops it, and gives what it has counted. */
  stop(): Promise<SettlementCounts>;
  visits(): Visit[];
}

/** The program of the workers, and the workers; all of them end with it. */
export interface SettleWorkers extends AsyncDisposable {
  /** Starts one, which waits for `begin`, and is ready for it; `hangsAt` is the session at which its handler hangs. */
  start(hangsAt?: number): Promise<SettleWorker>;
}

/** Workers on a database. One file, because each would take over a second to load the sources. */
export async function prepareSettleWorkers(url: string): Promise<SettleWorkers> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-workers-'));
  const program = path.join(folder, 'worker.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./settle-worker.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const children: ChildProcess[] = [];
  return {
    start: async (hangsAt = 0) => {
      const child = spawn(process.execPath, [program, url, String(hangsAt)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      children.push(child);
      return follow(child);
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function follow(child: ChildProcess): Promise<SettleWorker> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the worker has no input or output');
  const events: WorkerEvent[] = [];
  const lines = createInterface({ input: stdout });
  lines.on('line', (line) => events.push(JSON.parse(line)));
  const closed = once(lines, 'close');
  await once(lines, 'line');
  let killedMs = Number.POSITIVE_INFINITY;
  return {
    begin: () => void stdin.write('begin\n'),
    begun: () => events.filter(({ kind }) => kind === 'begin').length,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
      killedMs = performance.timeOrigin + performance.now();
    },
    stop: async () => {
      stdin.write('stop\n');
      await closed;
      const last = events.at(-1);
      if (last?.kind !== 'counts') throw new Error('the worker has ended without its counts');
      return last.counts;
    },
    visits: () => visitsOf(events, killedMs),
  };
}

function visitsOf(events: readonly WorkerEvent[], killedMs: number): Visit[] {
  const at = (event: WorkerEvent, kind: 'begin' | 'end') => (event.kind === kind ? [event] : []);
  const ends = events.flatMap((event) => at(event, 'end'));
  // One at a time: where there are more begins than ends, the last has not ended.
  return events
    .flatMap((event) => at(event, 'begin'))
    .map(({ id, atMs }, i) => ({ id, beginMs: atMs, endMs: ends[i]?.atMs ?? killedMs }));
}

/** Visits that begin at a session where another has not ended. */
export function findMeetings(visits: readonly Visit[]): [Visit, Visit][] {
  const sorted = visits.toSorted((a, b) => a.beginMs - b.beginMs);
  return sorted.flatMap((visit, i) =>
    sorted
      .slice(i + 1)
      .filter(({ id, beginMs }) => id === visit.id && beginMs < visit.endMs)
      .map((later): [Visit, Visit] => [visit, later]),
  );
}
