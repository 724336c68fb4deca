import { sql } from 'drizzle-orm';
import { sessions } from '../../schema/sessions.ts';
import { checkBoolean, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { NotFoundError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { serverNowMs } from './server-clock.ts';

/** What is stored of a session's settlement. */
export interface SettlementState {
  id: string;
  settledComplete: boolean | null;
  lastSettleAttempt: number | null;
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

const reopen = defineQuery<{ id: string }, typeof settlementFields>({
  name: 'reopenSettlement',
  fields: settlementFields,
  statement: (given, columns) => sql`
    update sessions
    set settledcomplete = false, lastsettleattempt = null, lastupdated = ${serverNowMs}
    where id = ${given.id}
    returning ${columns()}`,
});

const startRecordSettlement = defineCall<OptionsOf<typeof recordSettlement>>('recordSettlement', 'primary', {
  sessionId: true,
  complete: true,
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
  options: CallOptions & { readonly sessionId: string; readonly complete: boolean },
): Promise<SettlementState> {
  const call = startRecordSettlement(db, options);
  const stored = await record.find(call, {
    id: checkText('sessionId', options.sessionId),
    complete: checkBoolean('complete', options.complete),
  });
  if (stored === undefined) {
    throw new NotFoundError('recordSettlement: there is no session with this id (sessions.id)');
  }
  return stored;
}

const startReopenSettlement = defineCall<OptionsOf<typeof reopenSettlement>>('reopenSettlement', 'primary', {
  sessionId: true,
});

/**
 * Takes back that a session is settled: it is not, and counts as never tried, so that the next claim may take it at once.
 * A session whose `settleSession` is not true stays out of the lists all the same. Whoever holds a claim of it may still
 * record a result; that counts then. Relies on the primary key.
 *
 * @example
 * await reopenSettlement(db, { sessionId: 's-1' });
 * @throws NotFoundError if there is no such session; InvalidArgumentError, DatabaseError
 */
export async function reopenSettlement(
  db: Database,
  options: CallOptions & { readonly sessionId: string },
): Promise<SettlementState> {
  const call = startReopenSettlement(db, options);
  const stored = await reopen.find(call, { id: checkText('sessionId', options.sessionId) });
  if (stored === undefined) {
    throw new NotFoundError('reopenSettlement: there is no session with this id (sessions.id)');
  }
  return stored;
}
