import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { hasOpenSells, settleSessions } from '../../../src/queries/index.ts';
import { describeSurprise, sqlStateOf } from './errors.ts';
import { connect, type Office } from './service.ts';

/** A settlement worker, which begins again whenever the database has ended it. */
export async function runSettlement(url: string, bornMs: number, office: Office): Promise<void> {
  while (office.isWorking()) {
    office.at.set('settlement', 'settling');
    const sql = connect(url, 'settlement', 2);
    try {
      await settle(sql, bornMs, office);
    } catch (error) {
      const state = sqlStateOf(error) ?? 'no answer';
      office.errors.set(state, (office.errors.get(state) ?? 0) + 1);
      const surprise = describeSurprise(error);
      if (surprise !== undefined) office.surprises.push(`settlement was told ${surprise}`);
      await sleep(200);
    }
    office.at.set('settlement', 'closing');
    await sql.end({ timeout: 1 }).catch(() => {});
  }
  office.at.delete('settlement');
}

/** What postgres.js has lost of a server that went away is never answered: then it is left. */
const patienceMs = 5_000;

async function settle(sql: Sql, bornMs: number, office: Office): Promise<void> {
  const db = drizzle({ client: sql });
  const stop = new AbortController();
  const watch = setInterval(() => office.isWorking() || stop.abort(), 20);
  const settling = settleSessions(db, async ({ id }) => !(await hasOpenSells(db, { sessionId: id })), {
    startedAfterMs: bornMs,
    retryAfterMs: 2_000,
    idleDelayMs: 100,
    retry: { attempts: 2 },
    signal: stop.signal,
  });
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => setTimeout(resolve, patienceMs).unref());
  });
  await Promise.race([settling, stopped]).finally(() => clearInterval(watch));
}
