import { type SQL, sql } from 'drizzle-orm';
import { checkInteger, checkLimit, checkOptionalText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { defineLatestOfAll } from '../core/latest-of-all.ts';
import type { OptionsOf } from '../core/options.ts';
import type { Given } from '../core/query.ts';
import { statusKey, toStatusKey } from '../core/status-key.ts';
import { defineLatestSessions, sessionTimeline } from './latest-sessions.ts';
import { onExchange, type SessionListOptions } from './pairs.ts';
import type { SessionSummary } from './session-summary.ts';

type Filter = {
  statusKey?: string | undefined;
  exchange?: string | undefined;
  startedAfterMs?: number | undefined;
};

const isOfStatus = (given: Given<Filter>): SQL | undefined =>
  given.statusKey && sql`and ${statusKey(sql`status`)} = ${given.statusKey}`;
const isStartedAfter = (given: Given<Filter>): SQL | undefined =>
  given.startedAfterMs && sql`and startedat >= ${given.startedAfterMs}::bigint`;
const matches = (given: Given<Filter>): SQL =>
  sql`true ${isOfStatus(given)} ${onExchange(given.exchange)} ${isStartedAfter(given)}`;

/**
 * An index serves only a status as it is stored: the few spellings that there are are found first, then the sessions of
 * those that are wanted. Two bounds and not an equality, which the planner would take for a third of the table.
 */
const ofSpellings = (given: Given<Filter>): SQL => sql`(
          with recursive spellings (status) as (
            select min(status) from sessions where status is not null
            union all
            select (select min(status) from sessions where status > spellings.status)
            from spellings where status is not null
          )
          select id, startedat, exchange from spellings
          cross join lateral (
            select id, startedat, exchange from sessions
            where sessions.status >= spellings.status and sessions.status <= spellings.status
            offset 0
          ) as spelled
          where ${statusKey(sql`spellings.status`)} = ${given.statusKey}
        ) as of_status`;

const latest = defineLatestSessions<Filter>({
  name: 'listSessions',
  matches,
  search: (given) =>
    given.statusKey
      ? { from: ofSpellings(given), where: sql`true ${onExchange(given.exchange)} ${isStartedAfter(given)}` }
      : {
          from: sql`sessions`,
          where: sql`exchange >= ${given.exchange} and exchange <= ${given.exchange} ${
            given.startedAfterMs && sql`and startedat + 0 >= ${given.startedAfterMs}::bigint`
          }`,
        },
  matchesUnindexed: matches,
});

const latestOfAll = defineLatestOfAll(sessionTimeline, 'listSessions');

const startListSessions = defineCall<OptionsOf<typeof listSessions>>('listSessions', 'replica', {
  status: true,
  exchange: true,
  startedAfterMs: true,
  limit: true,
  after: true,
});

/**
 * Sessions, the latest start first, those that never started last (by id, descending): all of them, or those in a status,
 * on a venue, started at an instant (`startedAfterMs`, epoch ms) or later. Statuses compare without case, and without `_`,
 * `-` and spaces. The JSON documents are not in a list: see {@link findSession}.
 *
 * Relies on `idx_sessions_startedat`, and where few of the latest are in the status or on the venue, on
 * `idx_sessions_status` or `idx_sessions_exchange`: then the time goes by how many are.
 *
 * @example
 * const page = await listSessions(db, { status: 'running', exchange: 'kraken' });
 * const next = await listSessions(db, { status: 'running', exchange: 'kraken', after: page.at(-1) });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listSessions(
  db: Database,
  options: CallOptions &
    SessionListOptions & {
      readonly status?: string | undefined;
      /** Sessions that started at this instant or later, epoch ms. */
      readonly startedAfterMs?: number | undefined;
    } = {},
): Promise<SessionSummary[]> {
  const call = startListSessions(db, options);
  const { after } = options;
  const status = checkOptionalText('status', options.status);
  const exchange = checkOptionalText('exchange', options.exchange);
  const limit = checkLimit(options.limit);
  const startedAfterMs =
    options.startedAfterMs === undefined ? undefined : checkInteger('startedAfterMs', options.startedAfterMs);
  if (status === undefined && exchange === undefined) {
    return latestOfAll.list(call, startedAfterMs, limit, after);
  }
  const key = status === undefined ? undefined : toStatusKey(status);
  return latest.list(call, { statusKey: key, exchange, startedAfterMs }, limit, after);
}
