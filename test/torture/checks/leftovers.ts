import { setTimeout as sleep } from 'node:timers/promises';
import type { Ground } from '../ground/ground.ts';
import { withSession } from '../ground/ground.ts';

/** A server that has to notice that a client is gone needs a second, and a probe of the canary ten. */
const patienceMs = 15_000;

const look = `
  select 'a session is left: pid ' || pid || ', ' || application_name || ', ' || coalesce(state, '') || ': ' || left(query, 80) as what
  from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid()
    and (client_port = any($1) or application_name like 'multi-pair-db%')
  union all
  select 'an advisory lock is left, held by pid ' || pid from pg_locks
  where locktype = 'advisory' and database = (select oid from pg_database where datname = $2)
  union all
  select 'a prepared transaction is left' from pg_prepared_xacts
  union all
  select 'a setting is left: ' || array_to_string(setconfig, ', ') from pg_db_role_setting
  union all
  select 'the database takes no connections' from pg_database
  where datname = $2 and not (datallowconn and datconnlimit = -1)`;

/** What a command has left behind on the server when all has had time to end; nothing of it may be there. */
export async function findLeftovers(
  { server }: Ground,
  database: string,
  clientPorts: readonly number[],
): Promise<string[]> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const left = await withSession(server.url('postgres'), (sql) =>
      sql.unsafe(look, [[...clientPorts], database]),
    );
    if (left.length === 0) break;
    if (Date.now() > until) return left.map((row) => String(row['what']));
    await sleep(100);
  }
  return withSession(server.url(database), async (sql) => {
    const [table] = await sql`select to_regclass('multi_pair_db.pause') is not null as present`;
    const rows = table?.['present'] === true ? await sql`select from multi_pair_db.pause` : [];
    return rows.length === 0 ? [] : ['a pause is left'];
  });
}

/** What an operator does after the server has failed under a restore: the program could not do it. */
export async function openDoor({ server }: Ground, database: string): Promise<void> {
  await withSession(server.url('postgres'), (sql) =>
    sql.unsafe(`alter database ${database} with allow_connections true connection limit -1`),
  );
}
