import { maxInt4 } from './arguments.ts';
import type { Call } from './call.ts';
import { DatabaseError } from './errors.ts';

/** A statement of a call that must be done in time. */
export interface Attempt {
  /** The function, as errors name it. */
  readonly query: string;
  readonly call: Call;
  readonly deadlineMs: number;
  /** The server has it: whether it was done is for the server to say. */
  isSent: boolean;
  /** Nobody waits for it any more. */
  isOver: boolean;
}

/** How long a server that should have stopped is still waited for, ms: a round trip, and the end of what it was at. */
const graceMs = 1_000;

/** What the work gives; unless the time is up before it was sent, or the server has not answered long after. */
export function untilDeadline<T>(attempt: Attempt, work: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => {
      attempt.isOver = true;
      reject(attempt.isSent ? unanswered(attempt) : unsent(attempt));
    };
    const leftMs = attempt.deadlineMs - Date.now();
    if (leftMs <= 0) return giveUp();
    let timer = setTimeout(
      () => {
        if (attempt.isSent) timer = setTimeout(giveUp, graceMs);
        else giveUp();
      },
      Math.min(leftMs, maxInt4),
    );
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

/** The server's error, in the words of the caller, where it came of our limit. */
export function asOverdue({ query, call, deadlineMs }: Attempt, error: unknown): unknown {
  const isOurs =
    error instanceof DatabaseError && error.code === 'statement_timeout' && Date.now() >= deadlineMs;
  if (!isOurs) return error;
  const what = `the server has stopped it and rolled it back (SQLSTATE ${error.sqlState})`;
  return new DatabaseError(query, { ...error, message: `${notDone(query, call)}; ${what}` });
}

const unsent = ({ query, call }: Attempt): DatabaseError =>
  new DatabaseError(query, {
    code: 'statement_timeout',
    message: `${notDone(query, call)}; it got no connection, or no answer on it, until then, and was not sent`,
  });

const unanswered = ({ query, call }: Attempt): DatabaseError =>
  new DatabaseError(query, {
    code: 'statement_timeout',
    message: `${notDone(query, call)}; the server does not answer, and whether it was done is not known`,
  });

const notDone = (query: string, { timeoutMs }: Call): string =>
  `${query}: not done within ${timeoutMs} ms (timeoutMs)`;
