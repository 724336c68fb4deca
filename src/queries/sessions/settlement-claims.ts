import { sql } from 'drizzle-orm';
import { isUnsettled } from '../../schema/sessions.ts';
import { checkInteger } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import { checkTransaction, type Transaction } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery, type Fields, type Query } from '../core/query.ts';
import { serverNowMs } from './server-clock.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';
import {
  isWanted,
  type SettlementOptions,
  type SettlementValues,
  toSettlementValues,
  unseen,
} from './settlement.ts';

/** How long a claim keeps a session from other workers, unless the caller says otherwise. */
export const defaultRetryAfterMs = 5 * 60_000;

type ClaimValues = SettlementValues & { retryAfterMs: number };

/**
 * The statement of a claim. Beside the columns of sessions it may give `previous_attempt`, the stamp before.
 *
 * No key update: FOR UPDATE would also stop the orders and fills of the session from being stored, whose foreign keys take
 * a share of it. The server's clock stamps and compares, because the workers' clocks differ.
 */
export const defineClaim = <F extends Fields>(name: string, fields: F): Query<ClaimValues, F> =>
  defineQuery<ClaimValues, F>({
    name,
    fields,
    statement: (given, columns) => sql`
    with candidates as materialized (
      select id, lastsettleattempt as previous_attempt from sessions
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

const claim = defineClaim('claimSessionsToSettle', sessionFields);

const startClaimSessionsToSettle = defineCall<OptionsOf<typeof claimSessionsToSettle>>(
  'claimSessionsToSettle',
  'primary',
  { lookbackHours: true, startedAfterMs: true, pair: true, exchange: true, limit: true, retryAfterMs: true },
);

/**
 * Claims sessions to settle for one worker: sessions never tried first (the oldest start first), then those untried for
 * longest. No two workers get the same session, and none waits for another: what somebody else holds is passed over.
 *
 * A claim is a row lock and a stamp (`lastSettleAttempt`, by the server's clock). Settle inside the transaction, and a
 * worker that dies gives its sessions back at once, because both go with its transaction. Or commit first and settle
 * then: the stamp keeps the sessions from others for `retryAfterMs`, after which they can be claimed again. So give more
 * than a settlement takes. The rows come with their new stamp. {@link settleSessions} does either, in a worker's main loop.
 *
 * Until the transaction ends, write the sessions through `tx` alone, as below. `recordSettlement(db, …)` in it would be sent
 * on another connection, and wait there for the lock that this one holds, while this one waits for it: for ever, because
 * the server sees nobody who waits in a circle. On a handle of one connection (PGlite) whatever is sent on `db` waits so.
 *
 * Relies on `idx_sessions_settlement_discovery`: reads the sessions that await settlement in the given time, sorts them
 * by their last attempt, and locks no more than `limit`. The lock does not hold up new orders and fills of the session.
 *
 * @example
 * const claimed = await db.transaction((tx) => claimSessionsToSettle(tx, { limit: 10, retryAfterMs: 600_000 }));
 * // Or settled in the transaction:
 * await db.transaction(async (tx) => {
 *   for (const { id } of await claimSessionsToSettle(tx, { limit: 10 })) {
 *     await recordSettlement(tx, { sessionId: id, complete: !(await hasOpenSells(tx, { sessionId: id })) });
 *   }
 * });
 * @throws InvalidArgumentError if given anything but a transaction; DatabaseError
 */
export async function claimSessionsToSettle(
  tx: Transaction,
  options: CallOptions &
    SettlementOptions & {
      /** Sessions whose last attempt is at least this long ago: 300,000 (five minutes) unless given. */
      readonly retryAfterMs?: number | undefined;
    } = {},
): Promise<SessionSummary[]> {
  checkTransaction(tx, 'claimSessionsToSettle');
  const call = startClaimSessionsToSettle(tx, options);
  const { retryAfterMs = defaultRetryAfterMs } = options;
  checkInteger('retryAfterMs', retryAfterMs, { min: 0 });
  return claim.list(call, { ...toSettlementValues(options), retryAfterMs });
}
