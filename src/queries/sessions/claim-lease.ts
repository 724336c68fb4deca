import { sql } from 'drizzle-orm';
import { isUnsettled, sessions } from '../../schema/sessions.ts';
import type { Database } from '../core/database.ts';
import { lowestTime } from '../core/keyset.ts';
import { type Computed, defineQuery } from '../core/query.ts';
import { serverNowMs } from './server-clock.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';
import type { SettlementValues } from './settlement.ts';
import { defineClaim } from './settlement-claims.ts';

/** A session that is ours to settle, for as long as its stamp is ours. */
export interface Claim {
  readonly session: SessionSummary;
  /** What `lastsettleattempt` was before, as text, because a number might be rounded; null if never tried. */
  readonly attemptBefore: string | null;
  /** What it is now. Whoever claims the session later changes it. */
  readonly stampMs: number;
  /** When the claim was sent, by the clock that no one sets: the server has stamped it then or later. */
  readonly sentAtMs: number;
}

const attemptBefore: Computed<string | null> = {
  expression: sql`previous_attempt::text`,
  decode: String,
};
const claim = defineClaim('settleSessions', { ...sessionFields, attemptBefore });

/**
 * Claims the session whose turn it is. On a handle the one statement is a transaction of its own, and the claim a stamp
 * that is committed; in a transaction it is a row lock, too.
 */
export async function claimNext(
  db: Database,
  values: Omit<SettlementValues, 'limit'>,
  retryAfterMs: number,
): Promise<Claim | undefined> {
  const sentAtMs = performance.now();
  const row = await claim.find(db, { ...values, limit: 1, retryAfterMs });
  if (row === undefined) return undefined;
  const { attemptBefore: before, ...session } = row;
  return { session, attemptBefore: before, stampMs: stampOf(session), sentAtMs };
}

const stampFields = { lastSettleAttempt: sessions.lastSettleAttempt };

// What is saved of the session meanwhile must not count as older than this: lastupdated stays as it is.
const renewal = defineQuery<{ id: string; stampMs: number }, typeof stampFields>({
  name: 'settleSessions',
  fields: stampFields,
  statement: (given, columns) => sql`
    update sessions set lastsettleattempt = ${serverNowMs}
    where id = ${given.id} and lastsettleattempt = ${given.stampMs}::bigint
    returning ${columns()}`,
});

/** Renews a claim, and gives its new stamp; undefined if it is somebody else's. */
export async function renewClaim(
  db: Database,
  { session }: Claim,
  stampMs: number,
): Promise<number | undefined> {
  const row = await renewal.find(db, { id: session.id, stampMs });
  return row && stampOf(row);
}

const idField = { id: sessions.id };

// The stamp stays: sent twice, because the first answer was lost, it does the same once more.
const recording = defineQuery<{ id: string; stampMs: number; complete: boolean }, typeof idField>({
  name: 'settleSessions',
  fields: idField,
  statement: (given, columns) => sql`
    update sessions
    set settledcomplete = coalesce(settledcomplete, false) or ${given.complete}::boolean, lastupdated = ${serverNowMs}
    where id = ${given.id} and lastsettleattempt = ${given.stampMs}::bigint
    returning ${columns()}`,
});

/** Records the result of a claim; false if the claim is somebody else's, and nothing was recorded. */
export async function recordClaimed(
  db: Database,
  { session }: Claim,
  stampMs: number,
  complete: boolean,
): Promise<boolean> {
  return (await recording.find(db, { id: session.id, stampMs, complete })) !== undefined;
}

const release = defineQuery<{ id: string; stampMs: number; attemptBefore: string | null }, typeof idField>({
  name: 'settleSessions',
  fields: idField,
  statement: (given, columns) => sql`
    update sessions set lastsettleattempt = ${given.attemptBefore}::text::bigint
    where id = ${given.id} and lastsettleattempt = ${given.stampMs}::bigint
    returning ${columns()}`,
});

/** Gives a session back as if it had not been claimed; false if the claim is somebody else's. */
export async function releaseClaim(
  db: Database,
  { session, attemptBefore: before }: Claim,
  stampMs: number,
): Promise<boolean> {
  return (await release.find(db, { id: session.id, stampMs, attemptBefore: before })) !== undefined;
}

// Locked, or stamped later: somebody else is at it already, and it is for him to say how that went.
const attempt = defineQuery<{ id: string; stampMs: number }, typeof idField>({
  name: 'settleSessions',
  fields: idField,
  statement: (given, columns) => sql`
    update sessions
    set settledcomplete = false, lastsettleattempt = ${serverNowMs}, lastupdated = ${serverNowMs}
    where id in (
      select id from sessions
      where id = ${given.id} and ${isUnsettled} and coalesce(lastsettleattempt, ${lowestTime}) < ${given.stampMs}::bigint
      for no key update skip locked
    )
    returning ${columns()}`,
});

/** Counts an attempt whose transaction, and with it the claim, was rolled back. */
export async function countAttempt(db: Database, { session, stampMs }: Claim): Promise<void> {
  await attempt.find(db, { id: session.id, stampMs });
}

function stampOf(row: { readonly lastSettleAttempt: number | null }): number {
  if (row.lastSettleAttempt === null) throw new TypeError('settleSessions: a claim came without its stamp');
  return row.lastSettleAttempt;
}
