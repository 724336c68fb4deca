import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier, quoteLiteral } from '../../connection/identifiers.ts';

/** Held while trading is measured; `rest` in the database then leaves the pace to who measures. */
const watching = "hashtextextended('multi-pair-db canary', 0)";
/** Held while a probe is under way, or trading is slow: `rest` waits for it. */
const slow = "hashtextextended('multi-pair-db slow', 0)";

/** A wait beyond this is longer than any limit allows; the probe ends, and counts as having waited so long. */
export const mostWaitMs = 10_000;

/**
 * Of a client that is gone, or hangs, nothing is left: the server looks for it each second in a probe, and ends the session
 * between two, where the next one comes within 25 ms, after ten seconds.
 */
const settings: readonly { readonly sql: string; readonly optional?: true }[] = [
  { sql: "set application_name = 'multi-pair-db canary'" },
  { sql: "set lock_timeout = '500ms'" },
  { sql: `set statement_timeout = '${mostWaitMs + 1_000}'` },
  { sql: "set idle_session_timeout = '10s'" },
  { sql: "set client_connection_check_interval = '1s'", optional: true },
  { sql: 'set default_transaction_read_only = off' },
  { sql: 'set jit = off' },
];

/**
 * What a trade does, without a trace: for each table, in a transaction of its own, a writer's lock, and the newest row
 * (the first of the last page, which is found in no time in a table of any size). Never two tables in one transaction:
 * whoever holds one lock and waits for another can be part of a deadlock.
 *
 * The last commit is flushed as a service's is, to the standbys too where `synchronous_commit` says so: the empty
 * message makes it a transaction that has written something, which an xid alone does not. Nothing of it reaches a table.
 *
 * Prepared, because 40 a second are to cost nothing: 0.3 ms of the server's time each, and 1.4 ms as a DO block.
 */
export interface Probe {
  /** Statements that prepare it; where one fails, all of them again. They lock the tables as readers do. */
  readonly prepare: readonly string[];
  /** One message. Where it fails, it leaves a transaction open. */
  readonly run: string;
}

export function writeProbe(tables: readonly string[], flushes: boolean): Probe {
  const end = flushes ? "pg_logical_emit_message(true, 'multi-pair-db', '')" : 'pg_current_xact_id()';
  const visits = tables.map((name, place) => {
    const table = quoteIdentifier(name);
    const last = place === tables.length - 1 ? 'execute multi_pair_db_end; ' : '';
    return `begin; execute multi_pair_db_begin; lock table ${table} in row exclusive mode; execute multi_pair_db_read_${place}; ${last}commit;`;
  });
  return {
    prepare: [
      'deallocate all',
      `set lock_timeout = '${mostWaitMs}'`,
      `prepare multi_pair_db_begin as select pg_try_advisory_xact_lock(${slow})`,
      `prepare multi_pair_db_end as select ${end}`,
      ...tables.map((name, place) => prepareRead(quoteIdentifier(name), place)),
    ],
    run: visits.join('\n'),
  };
}

/** The place stands in a query of its own: that is a constant to the planner, which then goes to the row at once. */
const prepareRead = (table: string, place: number): string =>
  `prepare multi_pair_db_read_${place} as select from ${table} where ctid = (
     select format('(%s,1)', greatest(0, pg_relation_size(to_regclass(${quoteLiteral(table)})) / current_setting('block_size')::bigint - 1))::tid)`;

/** Of these names, the tables that are there, and those of them that this role may not lock as a writer does and read. */
export async function findTables(
  connection: Connection,
  names: readonly string[],
): Promise<{ readonly tables: string[]; readonly barred: string[] }> {
  const rows = await connection.query<{ name: string; permitted: boolean }>(
    `select name, has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'update, delete, truncate') as permitted
     from unnest($1::text[]) with ordinality as wanted (name, place)
     join pg_class as c on c.oid = to_regclass(quote_ident(name)) and c.relkind = 'r'
     order by place`,
    [[...names]],
  );
  return {
    tables: rows.map(({ name }) => name),
    barred: rows.filter(({ permitted }) => !permitted).map(({ name }) => name),
  };
}

/** Bytes of the tables; undefined where one is locked against everybody for longer than `lock_timeout`. */
export async function measureTables(
  session: Connection,
  tables: readonly string[],
): Promise<number | undefined> {
  try {
    const [row] = await session.query<{ bytes: number }>(
      `select coalesce(sum(pg_relation_size(to_regclass(quote_ident(name)))), 0)::float8 as bytes
       from unnest($1::text[]) as name`,
      [[...tables]],
    );
    return row?.bytes;
  } catch (error) {
    if (error instanceof OperationError && error.sqlState === '55P03') return undefined;
    throw error;
  }
}

/** Sets the session. */
export async function prepareSession(session: Connection): Promise<{ readonly flushes: boolean }> {
  for (const { sql, optional } of settings) {
    await session.execute(sql).catch((error: unknown) => {
      if (!(optional && error instanceof OperationError && error.sqlState?.startsWith('22'))) throw error;
    });
  }
  // Who reads a logical slot (change data capture) may be sent the messages, and 40 a second are a trace.
  const [row] = await session.query<{ flushes: boolean }>(
    `select not exists (
       select from pg_replication_slots where slot_type = 'logical' and database = current_database()) as flushes`,
  );
  return { flushes: row?.flushes ?? false };
}

/**
 * Says that somebody measures. False while the session of a run that was killed still has the lock, for some seconds, or
 * `rest` looks at it in this very moment.
 */
export const holdWatching = (session: Connection): Promise<boolean> => tryLock(session, watching);

/** Says that trading is slow; false where `rest` looks at the lock in this very moment. */
export const holdSlow = (session: Connection): Promise<boolean> => tryLock(session, slow);

async function tryLock(session: Connection, lock: string): Promise<boolean> {
  const [row] = await session.query<{ held: boolean }>(`select pg_try_advisory_lock(${lock}) as held`);
  return row?.held === true;
}

export async function releaseSlow(session: Connection): Promise<void> {
  await session.query(`select pg_advisory_unlock(${slow})`);
}
