import { beginTransaction } from './begin-transaction.ts';
import type { Call } from './call.ts';
import { type Database, isTransaction, isUnprepared, type Transaction } from './database.ts';
import { type Attempt, asOverdue, untilDeadline } from './deadline.ts';
import { DatabaseError, toQueryError } from './errors.ts';
import { sendThrough, sessionOf } from './session.ts';
import { unlessAborted } from './signal.ts';

/** Sends one statement through the handle that it is given. */
type Send<T> = (db: Database) => Promise<T>;

/** Sends a statement of a call: no longer waited for when the signal aborts, and stopped when its time is up. */
export async function sendWithin<T>(call: Call, db: Database, query: string, send: Send<T>): Promise<T> {
  const { signal, deadlineMs } = call;
  if (deadlineMs === undefined) return unlessAborted(signal, () => send(db));
  const attempt: Attempt = { query, call, deadlineMs, isSent: false, isOver: false };
  const work = async (): Promise<T> => {
    try {
      return await (isTransaction(db) ? inTheirs(db, attempt, send) : inOurs(db, attempt, send));
    } catch (error) {
      throw asOverdue(attempt, toQueryError(query, error));
    }
  };
  return unlessAborted(signal, () => untilDeadline(attempt, work));
}

/** In a transaction of our own, for the limit ends with it. */
async function inOurs<T>(db: Database, attempt: Attempt, send: Send<T>): Promise<T> {
  const work = async (tx: Transaction): Promise<T> => (await sendLimited(tx, attempt, send)).result;
  try {
    return await beginTransaction(db, attempt.query, work);
  } catch (error) {
    // As outside of a transaction: it has not run, and without a name it can't be refused for the same reason.
    const isOfPreparation =
      error instanceof DatabaseError && (error.code === 'prepared_statement' || error.code === 'stale_plan');
    if (!isOfPreparation || db[isUnprepared]) throw error;
    const unprepared = { [isUnprepared]: { value: true } };
    return beginTransaction(db, attempt.query, (tx) => work(Object.create(tx, unprepared)));
  }
}

/** In the caller's transaction, which goes on with the limit that it had; after an error its rollback puts it back. */
function inTheirs<T>(tx: Database, attempt: Attempt, send: Send<T>): Promise<T> {
  return inTurn(tx, async () => {
    const { result, before } = await sendLimited(tx, attempt, send);
    await ask(tx, "select set_config('statement_timeout', $1, true)", before);
    return result;
  });
}

/** A call that nobody waits for any more goes no further, and what it has written is rolled back. */
async function sendLimited<T>(
  tx: Database,
  attempt: Attempt,
  send: Send<T>,
): Promise<{ result: T; before: unknown }> {
  const refuseOver = (): void => {
    if (attempt.isOver || attempt.call.signal?.aborted) throw new Error('the call is over');
  };
  refuseOver();
  const before = await ask(tx, limitSql, Math.max(1, attempt.deadlineMs - Date.now()));
  refuseOver();
  attempt.isSent = true;
  const result = await send(tx);
  refuseOver();
  return { result, before };
}

/** Gives the limit that there was. Whoever has set a lower one means it. */
const limitSql = `
  select current_setting('statement_timeout'), set_config('statement_timeout', least($1::integer,
    nullif(extract(epoch from current_setting('statement_timeout')::interval) * 1000, 0))::integer::text, true)`;

async function ask(tx: Database, text: string, param: unknown): Promise<unknown> {
  const mapRows = (rows: unknown[][]): unknown[] => rows.map(([value]) => value);
  const [value] = await sendThrough(sessionOf(tx), { text, params: [param], name: undefined, mapRows });
  return value;
}

const turns = new WeakMap<object, Promise<unknown>>();

/** One after the other in a transaction: calls side by side would put back one another's limit. */
function inTurn<T>(tx: Database, work: () => Promise<T>): Promise<T> {
  const { session } = tx._;
  const turn = (turns.get(session) ?? Promise.resolve()).then(work);
  turns.set(
    session,
    turn.catch(() => {}),
  );
  return turn;
}
