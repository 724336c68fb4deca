import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { migrate } from '../../test/support/migrations.ts';
import type { EngineMessage, EngineTask } from './engine.ts';

/** Runs the work, and says when it begins; how long that took, ms, and what it has to say. */
export type Way = (url: string, onBegin: () => void) => Promise<Done>;

export interface Done {
  readonly tookMs: number;
  readonly note: string;
}

/** Our engine, in a process of its own: the clients of this one are not to wait for its JavaScript. */
export const byEngine =
  (task: EngineTask): Way =>
  (url, onBegin) =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(new URL('engine.ts', import.meta.url)), [url, task]);
      child.on('message', (message: EngineMessage) => {
        if (message.kind === 'begun') onBegin();
        else resolve(message);
      });
      child.once('exit', (code) => reject(new Error(`the engine has ended with ${code}`)));
    });

/** Stock drizzle, where nobody measures and a batch rests for as long as it took. */
export const byStock: Way = timed(migrate);

/** The way of the older attempt. */
export const inOneTransaction: Way = timed(async (url) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.begin(async (tx) => {
    await tx`alter table sessions add column pairs jsonb default '[]', add column pair_count integer default 0`;
    await tx`alter table orders add column pair_index integer default 0`;
    await tx`update sessions set pairs = jsonb_build_array(coalesce(symbol, tradingpair)), pair_count = 1
             where coalesce(symbol, tradingpair) is not null`;
  });
  await sql.end();
});

function timed(migration: (url: string) => Promise<void>): Way {
  return async (url, onBegin) => {
    onBegin();
    const start = performance.now();
    await migration(url);
    return { tookMs: performance.now() - start, note: '' };
  };
}
