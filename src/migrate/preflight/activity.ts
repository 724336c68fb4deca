import {
  adviseToEnd,
  describeSession,
  listSessions,
  type SessionActivity,
} from '../../connection/activity.ts';
import { formatDuration } from '../../connection/units.ts';
import { describeLeftLocks, findLeftLocks } from '../run/left-lock.ts';
import { listLockHolders } from '../run/lock.ts';
import { type Check, type CheckContext, count, type Observation } from './check.ts';

/** Programs that hold one snapshot, and a lock on every table, from their beginning to their end. */
const dumpPrograms = ['pg_dump', 'pg_dumpall', 'pg_restore'];

export const runningMigration: Check = {
  id: 'running-migration',
  why: 'only one run at a time may change the schema',
  look: async ({ connection }) => {
    const holders = await listLockHolders(connection);
    if (holders.length === 0) return { level: 'ok', found: 'no other run of the migrations' };
    const left = await findLeftLocks(
      connection,
      holders.map(({ pid }) => pid),
    );
    if (left.length > 0) {
      const { message: found, advice } = describeLeftLocks(left);
      return { level: 'blocker', found, advice };
    }
    return {
      level: 'blocker',
      found: 'another run of the migrations is under way',
      details: holders.map(describeSession),
      advice: 'Wait until it has ended; migrate waits for it, too.',
    };
  },
};

export const longTransactions: Check = {
  id: 'long-transactions',
  why: 'each index build waits for every transaction that is older than itself, and ALTER TABLE for every reader of the table',
  look: async (context) => {
    const { connection, longTransactionMs } = context;
    const rows = await connection.query<{ pid: number }>(
      // A vacuum against wraparound is the one autovacuum that does not give way.
      `select pid
       from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and leader_pid is null
         and clock_timestamp() - xact_start >= $1::float8 * interval '1 ms'
         and not coalesce(application_name, '') = any($2::text[])
         and (backend_type = 'client backend' or query like 'autovacuum:%(to prevent wraparound)%')`,
      [longTransactionMs, dumpPrograms],
    );
    const hidden = await countHidden(context);
    return describe(context, rows, hidden, {
      none: `no transaction is open for longer than ${formatDuration(longTransactionMs)}`,
      some: (number) =>
        `${count(number, 'transaction')} open for longer than ${formatDuration(longTransactionMs)}`,
      advice: (sessions) =>
        `${adviseToEnd(sessions)} Nothing is lost by waiting: migrate says for whom it waits.`,
    });
  },
};

export const dumps: Check = {
  id: 'running-dumps',
  why: 'a dump keeps a lock on each table and one snapshot until it ends: neither ALTER TABLE nor an index build gets past it',
  look: async (context) => {
    const rows = await context.connection.query<{ pid: number }>(
      `select pid
       from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and leader_pid is null
         and application_name = any($1::text[]) and coalesce(backend_type, 'client backend') = 'client backend'`,
      [dumpPrograms],
    );
    return describe(context, rows, 0, {
      none: 'no dump is running',
      some: (number) => `${count(number, 'dump')} running`,
      advice: () =>
        'Migrate when the dump has ended. The ALTER TABLE of 0001 gives up after two minutes of trying.',
    });
  },
};

async function describe(
  { connection }: CheckContext,
  rows: readonly { readonly pid: number }[],
  hidden: number,
  texts: {
    readonly none: string;
    readonly some: (number: number) => string;
    readonly advice: (sessions: readonly SessionActivity[]) => string;
  },
): Promise<Observation> {
  const sessions = await listSessions(
    connection,
    rows.map(({ pid }) => pid),
  );
  const details = sessions.map(describeSession);
  if (hidden > 0) {
    details.push(
      `not checked: ${count(hidden, 'session')} of other roles; what they do is hidden from this role`,
    );
  }
  if (details.length === 0) return { level: 'ok', found: texts.none };
  const grant = hidden > 0 ? ' To see all: grant pg_read_all_stats to this role.' : '';
  return {
    level: 'warning',
    found: sessions.length > 0 ? texts.some(sessions.length) : `${texts.none}, as far as this role can see`,
    details,
    advice: `${sessions.length > 0 ? texts.advice(sessions) : ''}${grant}`.trim(),
  };
}

/** Without pg_read_all_stats, what sessions of other roles do is null. */
async function countHidden({ connection }: CheckContext): Promise<number> {
  const [row] = await connection.query<{ hidden: number }>(
    `select count(*) as hidden
     from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type is null
       and query = '<insufficient privilege>'`,
  );
  return row?.hidden ?? 0;
}

interface PreparedTransaction {
  readonly gid: string;
  readonly owner: string;
  readonly openForMs: number;
  readonly tables: string | null;
}

export const preparedTransactions: Check = {
  id: 'prepared-transactions',
  why: 'a prepared transaction keeps its locks without any session, also over a restart, until someone ends it',
  look: async ({ connection, tables }) => {
    const rows = await connection.query<PreparedTransaction>(
      `select x.gid, x.owner::text as owner,
              round(extract(epoch from clock_timestamp() - x.prepared) * 1000)::float8 as "openForMs",
              (select string_agg(distinct c.relname::text, ', ')
               from pg_locks as own
               join pg_locks as l on l.virtualtransaction = own.virtualtransaction and l.pid is null
               join pg_class as c on c.oid = l.relation
               join unnest($1::text[]) as t (name) on c.oid = to_regclass(quote_ident(t.name))
               where own.pid is null and own.locktype = 'transactionid' and own.transactionid = x.transaction) as tables
       from pg_prepared_xacts as x
       where x.database = current_database()
       order by x.prepared`,
      [tables],
    );
    if (rows.length === 0) return { level: 'ok', found: 'no prepared transactions' };
    const inTheWay = rows.filter((row) => row.tables !== null);
    return {
      level: inTheWay.length > 0 ? 'blocker' : 'warning',
      found: `${count(rows.length, 'prepared transaction')}, ${inTheWay.length} of them with locks on these tables`,
      details: rows.map(
        ({ gid, owner, openForMs, tables: locked }) =>
          `'${gid}' of ${owner}, prepared ${formatDuration(openForMs)} ago${locked === null ? '' : `, holds locks on ${locked}`}`,
      ),
      advice: "Ask its transaction manager, then: commit prepared 'name', or rollback prepared 'name'.",
    };
  },
};
