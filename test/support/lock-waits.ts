import type { Sql } from 'postgres';
import { until } from './waiting.ts';

/** How many sessions of this database wait for a lock; those of the files that run beside this one have their own. */
export async function countLockWaits(sql: Sql): Promise<number> {
  const waiting = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return waiting.length;
}

export const untilLockWait = (sql: Sql, patienceMs?: number): Promise<void> =>
  until(async () => (await countLockWaits(sql)) > 0, 'somebody waits for a lock', patienceMs);
