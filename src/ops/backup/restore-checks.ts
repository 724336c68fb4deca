import { setTimeout as sleep } from 'node:timers/promises';
import { describeSessions, endingCommands, listTableHolders } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';

/** A transaction of that age will not be over in a moment; a shorter one is a statement that happens to run. */
const heldForMs = 1_000;

/**
 * pg_restore switches every time limit off: for a table that somebody holds it would wait without end, and whoever wants
 * to read the table would wait behind it. So nobody may hold one for more than a second. An ordinary autovacuum gives way.
 */
export async function refuseHeld(connection: Connection, tables: readonly string[]): Promise<void> {
  const look = () => listTableHolders(connection, tables, [connection.pid]);
  const before = new Set((await look()).map(({ pid }) => pid));
  if (before.size === 0) return;
  // Looked at twice, because the ages of other roles' transactions are hidden without pg_read_all_stats.
  await sleep(heldForMs);
  const holders = (await look()).filter(
    ({ pid, openForMs, statement }) =>
      before.has(pid) &&
      (openForMs ?? Number.POSITIVE_INFINITY) >= heldForMs &&
      !(statement?.startsWith('autovacuum:') && !statement.includes('to prevent wraparound')),
  );
  if (holders.length === 0) return;
  throw new OperationError({
    code: 'LOCKED',
    message: `the tables that would be replaced are in use by ${describeSessions(holders)}; nothing was changed`,
    advice: `Stop the services that work on this database, end what is left (${endingCommands(holders)}), then run the same command again.`,
  });
}

/** Returns whether the database is empty. */
export async function refuseUnconfirmed(
  connection: Connection,
  confirm: string | undefined,
): Promise<boolean> {
  const [row] = await connection.query<{ database: string; objects: number }>(
    // Also what is no relation: a schema with procedures alone is not empty.
    `select current_database() as database, count(*) as objects
     from (
       select 'pg_class'::regclass as class, oid, relnamespace as namespace from pg_class
       union all
       select 'pg_proc'::regclass, oid, pronamespace from pg_proc
       union all
       select 'pg_namespace'::regclass, oid, oid from pg_namespace where nspname <> 'public'
     ) as o
     join pg_namespace as n on n.oid = o.namespace
     where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
       and not exists (select from pg_depend as d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')`,
  );
  if (row === undefined || row.objects === 0) return true;
  if (confirm === row.database) return false;
  throw new OperationError({
    code: 'REFUSED',
    message: `the database ${row.database} is not empty${confirm === undefined ? '' : `, and ${confirm} is not its name`}; nothing was changed`,
    advice: `Restore into an empty database (--into), or make this one what the backup says with --confirm ${row.database}.`,
  });
}
