import { type SQL, sql } from 'drizzle-orm';
import { sessions } from '../schema/sessions.ts';
import {
  checkBoolean,
  checkInteger,
  checkLimit,
  checkOptionalText,
  checkText,
  maxLimit,
} from './arguments.ts';
import { checkTransaction, type Database, type Transaction } from './database.ts';
import { InvalidArgumentError, NotFoundError } from './errors.ts';
import { type SessionKey, toKeyValues } from './keyset.ts';
import { defineQuery } from './query.ts';
import { type SessionSummary, sessionFields } from './sessions.ts';

/** Which of the sessions that are to be settled, and are not, are meant. */
export type SettlementOptions = {
  /** Only sessions that hold this pair, exactly as stored. */
  readonly pair?: string | undefined;
  /** Only sessions on this venue, exactly as stored. */
  readonly exchange?: string | undefined;
  /** 1 to 1000 rows, 100 unless given. */
  readonly limit?: number | undefined;
} & (
  | {
      /** Sessions that started this long ago or later: 24 hours unless given. */
      readonly lookbackHours?: number | undefined;
      readonly startedAfterMs?: never;
    }
  | {
      /** Sessions that started at this instant or later, epoch ms. */
      readonly startedAfterMs: number;
      readonly lookbackHours?: never;
    }
);

/** How long a claim keeps a session from other workers, unless the caller says otherwise. */
export const defaultRetryAfterMs = 5 * 60_000;

type Values = {
  startedAfterMs: number;
  pairs?: string | undefined;
  exchange?: string | undefined;
  limit: number;
};

/** The predicate of idx_sessions_settlement_discovery, in its own words: PostgreSQL has to prove that it is implied. */
const isUnsettled = sql`settlesession = true and (settledcomplete is null or settledcomplete = false)`;

/**
 * Spelled so that the discovery index serves them all: few sessions await settlement, and it has exactly those. The
 * planner takes the two flags for independent and so expects many; sessions that are not to be settled have no
 * `settledcomplete` either. It would then read all sessions of the time, settled or not. The last condition makes each
 * row that it thinks it must look at dear; it is never evaluated, because `startedat` is compared and so is not null.
 */
const isWanted = (given: { pairs: SQL | undefined; exchange: SQL | undefined }): SQL => sql`
  and (startedat is not null or (select true from sessions as dear where dear.id = sessions.id limit 1))
  ${given.pairs && sql`and coalesce(pairs, '[]') @> ${given.pairs}::jsonb`}
  ${given.exchange && sql`and exchange is not distinct from ${given.exchange}`}`;

/**
 * A value that the planner cannot see, in a plan made for it no more than in a generic one. Both then cost the same, and
 * the server keeps the generic one after five calls, instead of planning each call for longer than it takes to run.
 */
const unseen = (value: SQL, type: 'bigint' | 'integer' | 'text'): SQL =>
  sql`(select ${value}::${sql.raw(type)})`;

const listUnsettled = defineQuery<
  Values & { afterMs?: number | undefined; afterId?: string | undefined },
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

/**
 * The sessions that are to be settled and are not yet, the latest start first. Sessions that never started have nothing
 * to settle and are left out. Relies on `idx_sessions_settlement_discovery`, read in order, with no sort: the time goes
 * by the page, not by the table.
 *
 * @example
 * const page = await listSessionsToSettle(db, { lookbackHours: 48, exchange: 'kraken' });
 * const next = await listSessionsToSettle(db, { lookbackHours: 48, exchange: 'kraken', after: page.at(-1) });
 * @throws InvalidArgumentError, DatabaseError
 */
export async function listSessionsToSettle(
  db: Database,
  options: SettlementOptions & {
    /** The last row of the page before. */
    readonly after?: SessionKey | undefined;
  } = {},
): Promise<SessionSummary[]> {
  if (options.after?.startedAt === null) {
    throw new InvalidArgumentError('after.startedAt is null, which no row of this list is');
  }
  return listUnsettled.list(db, { ...toValues(options), ...toKeyValues('startedAt', options.after) });
}

const claim = defineQuery<Values & { retryAfterMs: number }, typeof sessionFields>({
  name: 'claimSessionsToSettle',
  fields: sessionFields,
  // No key update: FOR UPDATE would also stop the orders and fills of the session from being stored, whose foreign
  // keys take a share of it. The server's clock stamps and compares, because the workers' clocks differ.
  statement: (given, columns) => sql`
    with candidates as materialized (
      select id from sessions
      where ${isUnsettled} and startedat >= ${unseen(given.startedAfterMs, 'bigint')} ${isWanted(given)}
        and (lastsettleattempt is null or lastsettleattempt <= ${serverNowMs} - ${given.retryAfterMs}::bigint)
      order by lastsettleattempt nulls first, startedat, id
      limit ${given.limit}
      for no key update skip locked
    ), claimed as (
      update sessions
      set lastsettleattempt = ${serverNowMs}, lastupdated = ${serverNowMs}
      from candidates
      where sessions.id = candidates.id
      returning ${columns('sessions')}
    )
    select ${columns()} from claimed order by startedat, id`,
});

const serverNowMs = sql`(extract(epoch from statement_timestamp()) * 1000)::bigint`;

/**
 * Claims sessions to settle for one worker: sessions never tried first (the oldest start first), then those untried for
 * longest. No two workers get the same session, and none waits for another: what somebody else holds is passed over.
 *
 * A claim is a row lock and a stamp (`lastSettleAttempt`, by the server's clock). Settle inside the transaction, and a
 * worker that dies gives its sessions back at once, because both go with its transaction. Or commit first and settle
 * then: the stamp keeps the sessions from others for `retryAfterMs`, after which they can be claimed again. So give more
 * than a settlement takes. The rows come with their new stamp.
 *
 * Relies on `idx_sessions_settlement_discovery`: reads the sessions that await settlement in the given time, sorts them
 * by their last attempt, and locks no more than `limit`. The lock does not hold up new orders and fills of the session.
 *
 * @example
 * const claimed = await db.transaction((tx) => claimSessionsToSettle(tx, { limit: 10, retryAfterMs: 600_000 }));
 * @throws InvalidArgumentError if given anything but a transaction; DatabaseError
 */
export async function claimSessionsToSettle(
  tx: Transaction,
  options: SettlementOptions & {
    /** Sessions whose last attempt is at least this long ago: 300,000 (five minutes) unless given. */
    readonly retryAfterMs?: number | undefined;
  } = {},
): Promise<SessionSummary[]> {
  checkTransaction(tx, 'claimSessionsToSettle');
  const retryAfterMs = checkInteger('retryAfterMs', options.retryAfterMs ?? defaultRetryAfterMs, { min: 0 });
  return claim.list(tx, { ...toValues(options), retryAfterMs });
}

const settlementFields = {
  id: sessions.id,
  settledComplete: sessions.settledComplete,
  lastSettleAttempt: sessions.lastSettleAttempt,
};

const record = defineQuery<{ id: string; complete: boolean }, typeof settlementFields>({
  name: 'recordSettlement',
  fields: settlementFields,
  statement: (given, columns) => sql`
    update sessions
    set settledcomplete = coalesce(settledcomplete, false) or ${given.complete}::boolean,
      lastsettleattempt = ${serverNowMs}, lastupdated = ${serverNowMs}
    where id = ${given.id}
    returning ${columns()}`,
});

/**
 * Records an attempt to settle a session: its time, and whether the session is settled now. A session that is settled
 * stays so, also if a worker whose claim has run out reports a failure later; what is given back says what is stored.
 * Relies on the primary key.
 *
 * @example
 * await recordSettlement(db, { sessionId: 's-1', complete: true });
 * @throws NotFoundError if there is no such session; InvalidArgumentError, DatabaseError
 */
export async function recordSettlement(
  db: Database,
  options: { readonly sessionId: string; readonly complete: boolean },
): Promise<{ id: string; settledComplete: boolean | null; lastSettleAttempt: number | null }> {
  const stored = await record.find(db, {
    id: checkText('sessionId', options.sessionId),
    complete: checkBoolean('complete', options.complete),
  });
  if (stored === undefined) {
    throw new NotFoundError('recordSettlement: there is no session with this id (sessions.id)');
  }
  return stored;
}

function toValues(options: SettlementOptions): Values {
  const { lookbackHours, startedAfterMs, pair } = options;
  if (lookbackHours !== undefined && startedAfterMs !== undefined) {
    throw new InvalidArgumentError('give lookbackHours or startedAfterMs, not both');
  }
  const hours = lookbackHours ?? 24;
  // A million hours is a century: older than any session, and still exact in milliseconds.
  if (typeof hours !== 'number' || !(hours > 0 && hours <= 1_000_000)) {
    throw new InvalidArgumentError('lookbackHours must be a number above 0, at most 1000000');
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
