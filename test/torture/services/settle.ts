import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import { hasOpenSells, settleSessions } from '../../../src/queries/index.ts';
import { describeSurprise, sqlStateOf } from './errors.ts';
import { connect, type Office } from './service.ts';

/** A settlement worker, which begins again whenever the database has ended it. */
export async function runSettlement(url: string, bornMs: number, office: Office): Promise<void> {
  const sql = connect(url, 2);
  const db = drizzle({ client: sql });
  office.at.set('settlement', 'settling');
  while (office.isWorking()) {
    const stop = new AbortController();
    const watch = setInterval(() => office.isWorking() || stop.abort(), 20);
    try {
      await settleSessions(db, async ({ id }) => !(await hasOpenSells(db, { sessionId: id })), {
        startedAfterMs: bornMs,
        retryAfterMs: 2_000,
        idleDelayMs: 100,
        retry: { attempts: 2 },
        signal: stop.signal,
      });
    } catch (error) {
      const state = sqlStateOf(error) ?? 'no answer';
      office.errors.set(state, (office.errors.get(state) ?? 0) + 1);
      const surprise = describeSurprise(error);
      if (surprise !== undefined && !stop.signal.aborted)
        office.surprises.push(`settlement was told ${surprise}`);
      await sleep(200);
    } finally {
      clearInterval(watch);
    }
  }
  office.at.set('settlement', 'closing');
  await sql.end({ timeout: 2 });
  office.at.delete('settlement');
}
