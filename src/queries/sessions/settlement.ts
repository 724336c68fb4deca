import { type SQL, sql } from 'drizzle-orm';
import { isUnsettled } from '../../schema/sessions.ts';
import { checkInteger, checkLimit, checkOptionalText, checkText, maxLimit } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { lowestTime, type SessionKey, toKeyValues } from '../core/keyset.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';

/** Which of the sessions that are to be settled, and are not, are meant. */
export type SettlementFilter = {
  /** Only sessions that hold this pair, exactly as stored. */
  readonly pair?: string | undefined;
  /** Only sessions on this venue, exactly as stored. */
  readonly exchange?: string | undefined;
} & (
  | {
      /** Sessions that started this long ago or later: 24 hours unless given. */
      readonly lookbackHours?: number | undefined;
      readonly startedAfterMs?: undefined;
    }
  | {
      /** Sessions that started at this instant or later, epoch ms. */
      readonly startedAfterMs: number;
      readonly lookbackHours?: undefined;
    }
);

/** Which of them, and how many at most. */
export type SettlementOptions = SettlementFilter & {
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
};

/** A century: older than any session, and still exact in milliseconds. */
export const maxLookbackHours = 1_000_000;

export type SettlementValues = {
  startedAfterMs: number;
  pairs?: string | undefined;
  exchange?: string | undefined;
  limit: number;
};

/**
 * Spelled so that the discovery index serves them all: few sessions await settlement, and it has exactly those. The
 * planner takes the two flags for independent and so expects many; sessions that are not to be settled have no
 * `settledcomplete` either. It would then read all sessions of the time, settled or not. The first condition makes each
 * row that it expects to look at expensive; it is never evaluated, because `startedat` is compared and so is not null.
 */
export const isWanted = (given: { pairs: SQL | undefined; exchange: SQL | undefined }): SQL => sql`
  and (startedat is not null or (select true from sessions as never_read where never_read.id = sessions.id limit 1))
  ${given.pairs && sql`and coalesce(pairs, '[]') @> ${given.pairs}::text::jsonb`}
  ${given.exchange && sql`and exchange is not distinct from ${given.exchange}`}`;

/**
 * A value that the planner can't see, in a plan made for it no more than in a generic one. Both then cost the same, and
 * the server keeps the generic one after five calls, instead of planning each call for longer than it takes to run.
 */
export const unseen = (value: SQL, type: 'bigint' | 'integer' | 'text'): SQL =>
  sql`(select ${value}::${sql.raw(type)})`;

const listUnsettled = defineQuery<
  SettlementValues & { afterMs?: number | undefined; afterId?: string | undefined },
  typeof sessionFields
>({
  name: 'listSessionsToSettle',
  fields: sessionFields,
  // The inner limit is a number that the planner can see: it then reads the index in order instead of sorting a third
  // of it, which is what it expects of a range and a limit that it does not know.
  statement: (given, columns) => sql`
    select ${columns()} from (
      select ${columns()} from sessions
      where ${isUnsettled} and startedat >= ${unseen(given.startedAfterMs, 'bigint')} ${isWanted(given)}
        ${andPast(given.afterMs, given.afterId)}
      order by startedat desc, id desc
      limit ${sql.raw(String(maxLimit))}
    ) as newest
    order by startedat desc, id desc
    limit ${unseen(given.limit, 'integer')}`,
});

// The bound that the key implies is said apart: only then does the planner take the range for the narrow one that it is.
function andPast(afterMs: SQL | undefined, afterId: SQL | undefined): SQL | undefined {
  if (afterMs === undefined || afterId === undefined) return undefined;
  const ms = unseen(afterMs, 'bigint');
  return sql`and startedat <= ${ms} and (startedat, id) < (${ms}, ${unseen(afterId, 'text')})`;
}

const listNeverTriedFirst = defineQuery<
  SettlementValues & {
    afterAttemptMs?: number | undefined;
    afterMs?: number | undefined;
    afterId?: string | undefined;
  },
  typeof sessionFields
>({
  name: 'listSessionsToSettle',
  fields: sessionFields,
  // In the order of the claims. No index has it: what awaits settlement is read and sorted.
  statement: (given, columns) => sql`
    select ${columns()} from sessions
    where ${isUnsettled} and startedat >= ${unseen(given.startedAfterMs, 'bigint')} ${isWanted(given)}
      ${
        given.afterId &&
        sql`and (coalesce(lastsettleattempt, ${lowestTime}), startedat, id)
        > (${given.afterAttemptMs ?? lowestTime}::bigint, ${given.afterMs}::bigint, ${given.afterId}::text)`
      }
    order by lastsettleattempt nulls first, startedat, id
    limit ${unseen(given.limit, 'integer')}`,
});

const startListSessionsToSettle = defineCall<OptionsOf<typeof listSessionsToSettle>>(
  'listSessionsToSettle',
  'replica',
  {
    lookbackHours: true,
    startedAfterMs: true,
    pair: true,
    exchange: true,
    order: true,
    limit: true,
    after: true,
  },
);

/** The key of a session in the order `never-tried-first`. */
export interface SettlementKey extends SessionKey {
  readonly lastSettleAttempt: number | null;
}

/** In which order sessions to settle come, and the last row of the page before. */
export type SettlementOrder =
  | { readonly order?: 'newest' | undefined; readonly after?: SessionKey | undefined }
  | { readonly order: 'never-tried-first'; readonly after?: SettlementKey | undefined };

/**
 * The sessions that are to be settled and are not yet. Sessions that never started have nothing to settle and are left out.
 *
 * `order: 'newest'`, which is meant unless given: the latest start first. Relies on `idx_sessions_settlement_discovery`,
 * read in order, with no sort: the time goes by the page, not by the table. `order: 'never-tried-first'`: those that no
 * worker has tried yet, then those untried for longest; the oldest start first among equals. So does
 * {@link claimSessionsToSettle}. The same index gives what awaits settlement in the given time, and all of it is sorted.
 *
 * @example
 * const page = await listSessionsToSettle(db, { lookbackHours: 48, exchange: 'kraken' });
 * const next = await listSessionsToSettle(db, { lookbackHours: 48, exchange: 'kraken', after: page.at(-1) });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listSessionsToSettle(
  db: Database,
  options: CallOptions & SettlementOptions & SettlementOrder = {},
): Promise<SessionSummary[]> {
  const call = startListSessionsToSettle(db, options);
  const { order, after } = options;
  if (order !== undefined && order !== 'newest' && order !== 'never-tried-first') {
    throw new InvalidArgumentError("order must be 'newest' or 'never-tried-first'");
  }
  if (after?.startedAt === null) {
    throw new InvalidArgumentError('after.startedAt is null, which no row of this list is');
  }
  const values = { ...toSettlementValues(options), ...toKeyValues('startedAt', after) };
  if (options.order !== 'never-tried-first') return listUnsettled.list(call, values);
  const { afterMs: afterAttemptMs } = toKeyValues('lastSettleAttempt', options.after);
  return listNeverTriedFirst.list(call, { ...values, afterAttemptMs });
}

export function toSettlementValues(options: SettlementOptions): SettlementValues {
  const { startedAfterMs, pair } = options;
  if (options.lookbackHours !== undefined && startedAfterMs !== undefined) {
    throw new InvalidArgumentError('give lookbackHours or startedAfterMs, not both');
  }
  const { lookbackHours: hours = 24 } = options;
  if (typeof hours !== 'number' || !(hours > 0 && hours <= maxLookbackHours)) {
    throw new InvalidArgumentError(`lookbackHours must be a number above 0, at most ${maxLookbackHours}`);
  }
  return {
    startedAfterMs:
      startedAfterMs === undefined
        ? Math.floor(Date.now() - hours * 3_600_000)
        : checkInteger('startedAfterMs', startedAfterMs),
    pairs: pair === undefined ? undefined : JSON.stringify([checkText('pair', pair)]),
    exchange: checkOptionalText('exchange', options.exchange),
    limit: checkLimit(options.limit),
  };
}
