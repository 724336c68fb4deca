import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import type { Door } from './door.ts';
import { type Psql, type PsqlOptions, startPsql } from './psql.ts';
import { beginSql } from './restore-sql.ts';

/** How a transaction has ended. */
type End = 'committed' | 'rolled back';

/** The one transaction of a restore, in a psql of its own. */
export interface RestoreTransaction {
  readonly psql: Psql;
  readonly pid: number;
  commit(): Promise<void>;
  /** Ends it, whatever it is doing, and says what became of it. */
  abandon(connection: Connection): Promise<End>;
}

export async function beginRestore(options: PsqlOptions): Promise<RestoreTransaction> {
  const psql = startPsql(options);
  const { pid, xid } = await identify(psql);
  let mayBeCommitted = false;
  return {
    psql,
    pid,
    commit: async () => {
      mayBeCommitted = true;
      await psql.ask('commit;');
    },
    abandon: async (connection) => {
      await psql.kill();
      const end = await endBackend(connection, pid, xid).catch((error: unknown) => {
        // Without an answer there is no telling; without a commit there is nothing to tell.
        if (mayBeCommitted) throw error;
        return 'rolled back' as const;
      });
      return end;
    },
  };
}

/** A backend that is busy does not notice at once that its client is gone, and holds its locks meanwhile. */
async function endBackend(connection: Connection, pid: number, xid: string): Promise<End> {
  await connection.query('select pg_terminate_backend(pid) from pg_stat_activity where pid = $1', [pid]);
  for (;;) {
    const [row] = await connection.query<{ isThere: boolean; status: string | null }>(
      `select exists (select from pg_stat_activity where pid = $1) as "isThere",
              pg_xact_status($2::text::xid8) as status`,
      [pid, xid],
    );
    if (row?.isThere !== true) return row?.status === 'committed' ? 'committed' : 'rolled back';
    await sleep(20);
  }
}

async function identify(psql: Psql): Promise<{ readonly pid: number; readonly xid: string }> {
  try {
    return readIdentity(await psql.ask(beginSql));
  } catch (error) {
    await psql.kill();
    throw error;
  }
}

function readIdentity(lines: readonly string[]): { readonly pid: number; readonly xid: string } {
  const answer: unknown = JSON.parse(lines.at(-1) ?? 'null');
  const get = (name: string): unknown =>
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined;
  return { pid: Number(get('pid')), xid: String(get('xid')) };
}

/** Runs the work of a transaction; whatever happens, its psql ends, and the door is open again. */
export async function settled<Result>(
  connection: Connection,
  transaction: RestoreTransaction,
  door: Door | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (cause) {
    const end = await transaction.abandon(connection).catch(() => 'unknown' as const);
    const explained = explainEnd(cause, end);
    await door?.open().catch((fault: unknown) => {
      throw withFault(explained, fault);
    });
    throw explained;
  }
  await door?.open();
  await transaction.psql.end();
  return result;
}

/** An error that says what became of the database. */
function explainEnd(cause: unknown, end: End | 'unknown'): unknown {
  if (!(cause instanceof OperationError)) return cause;
  const { code, message, advice } = cause;
  // These say themselves that nothing was changed.
  if (end === 'rolled back' && (code === 'LOCKED' || code === 'REFUSED')) return cause;
  const what = code === 'INTERRUPTED' ? 'interrupted' : message;
  const ends = {
    committed:
      'the restore is committed: the database is what the backup says, but was not verified to its end',
    'rolled back': 'the restore was rolled back; nothing was changed',
    unknown: 'whether the restore was committed is not known',
  };
  return new OperationError({
    ...cause.toJSON(),
    message: `${what}; ${ends[end]}`,
    advice: end === 'rolled back' ? advice : `${advice} Then run \`multi-pair-db verify\`.`,
  });
}

/** The database takes no sessions: that is the first thing to know, whatever else has failed. */
function withFault(cause: unknown, fault: unknown): unknown {
  if (!(cause instanceof OperationError) || !(fault instanceof OperationError)) return fault;
  return new OperationError({
    ...cause.toJSON(),
    message: `${cause.message}. ${fault.message}`,
    advice: `${fault.advice} ${cause.advice}`,
  });
}
