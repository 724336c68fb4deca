import { sql } from 'drizzle-orm';
import { checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { NotFoundError } from '../core/errors.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import { serverNowMs } from './server-clock.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';

const setStatus = defineQuery<{ id: string; status: string }, typeof sessionFields>({
  name: 'setSessionStatus',
  fields: sessionFields,
  statement: (given, columns) => sql`
    update sessions
    set status = ${given.status}, lastupdated = ${serverNowMs}
    where id = ${given.id}
    returning ${columns()}`,
});

const startSetSessionStatus = defineCall<OptionsOf<typeof setSessionStatus>>('setSessionStatus', 'primary', {
  sessionId: true,
  status: true,
});

/**
 * Sets the status of a session, exactly as given, and `lastUpdated` by the server's clock; gives the session as it is
 * stored then. Other times (`endedAt`, `completedAt`) are for the caller to say: {@link saveSessions} stores them together
 * with a status. Relies on the primary key.
 *
 * @example
 * const session = await setSessionStatus(db, { sessionId: 's-1', status: 'completed' });
 * @throws NotFoundError if there is no such session; InvalidArgumentError, DatabaseError
 */
export async function setSessionStatus(
  db: Database,
  options: CallOptions & { readonly sessionId: string; readonly status: string },
): Promise<SessionSummary> {
  const call = startSetSessionStatus(db, options);
  const stored = await setStatus.find(call, {
    id: checkText('sessionId', options.sessionId),
    status: checkText('status', options.status),
  });
  if (stored === undefined) {
    throw new NotFoundError('setSessionStatus: there is no session with this id (sessions.id)');
  }
  return stored;
}
