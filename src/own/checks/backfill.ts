import { formatCount, formatDuration } from '../../connection/units.ts';
import { type Check, count, hasColumn, hasTable, isPending } from '../../migrate/preflight/check.ts';
import { rowRules } from '../row-rules.ts';
import { filledBy } from './new-rows.ts';

/** Measured: a million sessions take 57 s on 2 cores, in batches of 20 ms and rests as long. */
const backfillMsPerRow = 57_000 / 1_000_000;

export const backfill: Check = {
  id: 'backfill',
  why: 'each session that lacks its pairs is updated once, in small batches; triggers fire and replicas follow',
  look: async (context) => {
    if (!hasTable(context, 'sessions')) return { level: 'skipped', found: 'there is no table sessions yet' };
    const ready = hasColumn(context, 'sessions', 'pairs') && hasColumn(context, 'sessions', 'pair_count');
    const conditions = rowRules
      .filter(({ table, migration }) => table === 'sessions' && migration !== undefined)
      .map(({ condition }) => `(${condition})`)
      .join(' or ');
    const [row] = await context.connection.query<{ total: number; stale: number }>(
      `select count(*) as total, count(*) filter (where ${ready ? conditions : 'true'}) as stale from sessions`,
    );
    const { total = 0, stale = 0 } = row ?? {};
    if (stale === 0) return { level: 'ok', found: `none of ${count(total, 'session')} is left to backfill` };
    if (!isPending(context, filledBy))
      return {
        level: 'skipped',
        found: `${filledBy} is applied: what it left is told under rows-as-recorded`,
      };
    const duration = formatDuration(stale * backfillMsPerRow);
    return {
      level: 'ok',
      found: `${formatCount(stale)} of ${count(total, 'session')} to backfill, about ${duration}`,
    };
  },
};
