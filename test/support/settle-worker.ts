/**
 * A settlement service of its own, on `settleSessions`. Runs as a child process: settle-worker.ts URL HANGS-AT
 *
 * A line on its input begins it, and another stops it. It tells what it does in lines of JSON, and in the end its counts. At
 * session number HANGS-AT its handler hangs, until it is killed; 0 is never.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { hasOpenSells, type SettlementCounts, settleSessions } from '../../src/queries/index.ts';

/** It can begin; a handler begins or ends, at an instant of the machine's clock; or all is over. */
export type WorkerEvent =
  | { readonly kind: 'begin' | 'end'; readonly id: string; readonly atMs: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'counts'; readonly counts: SettlementCounts };

/** Short, because it is waited for; and long enough for a machine that is busy with other tests. */
export const workerRetryAfterMs = 2_000;

const tell = (event: WorkerEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
const nowMs = (): number => performance.timeOrigin + performance.now();

async function main([url = '', hangsAt = '0']: string[]): Promise<void> {
  const client = postgres(url, { max: 3, onnotice: () => {} });
  const db = drizzle({ client });
  const stop = new AbortController();
  tell({ kind: 'ready' });
  await once(process.stdin, 'data');
  once(process.stdin, 'data').then(() => stop.abort());
  let begun = 0;
  const counts = await settleSessions(
    db,
    async ({ id }) => {
      tell({ kind: 'begin', id, atMs: nowMs() });
      if (++begun === Number(hangsAt)) await new Promise(() => {});
      await sleep(5);
      const isOpen = await hasOpenSells(db, { sessionId: id });
      tell({ kind: 'end', id, atMs: nowMs() });
      return !isOpen;
    },
    // One at a time, so that all that were begun before the one that hangs are recorded.
    { startedAfterMs: 0, retryAfterMs: workerRetryAfterMs, idleDelayMs: 20, signal: stop.signal },
  );
  tell({ kind: 'counts', counts });
  await client.end();
  process.stdin.destroy();
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
