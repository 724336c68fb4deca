import { sql } from 'drizzle-orm';
import { defineLatest } from '../core/latest.ts';
import type { Timeline } from '../core/latest-of-all.ts';
import type { Value } from '../core/query.ts';
import { sessionFields } from './session-summary.ts';

/** Sessions in the order of their start, by `idx_sessions_startedat`. */
export const sessionTimeline: Timeline<typeof sessionFields, 'startedAt'> = {
  table: sql`sessions`,
  time: sql`startedat`,
  timeName: 'startedAt',
  fields: sessionFields,
  compared: sql`id, startedat, status, pairs, pair_count, exchange`,
};

/** The latest sessions that meet a condition. */
export const defineLatestSessions = <V extends Readonly<Record<string, Value | undefined>>>(
  definition: Parameters<typeof defineLatest<V, typeof sessionFields, 'startedAt'>>[1],
): ReturnType<typeof defineLatest<V, typeof sessionFields, 'startedAt'>> =>
  defineLatest<V, typeof sessionFields, 'startedAt'>(sessionTimeline, definition);
