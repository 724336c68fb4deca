import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { openConnection } from '../../connection/open.ts';
import { withDatabase } from './libpq.ts';
import { type Psql, type PsqlOptions, startPsql } from './psql.ts';

/**
 * What keeps new sessions out of a database. `closed`: it takes no connections at all. `limited`: its connection limit is
 * 0, which superusers are not asked for. `open`: this role may set neither, so who comes has to be ended.
 */
export type DoorState = 'closed' | 'limited' | 'open';

export interface Door {
  /** SQL that puts everything back, for any session on the server. */
  readonly putBack: string;
  /**
   * Keeps new sessions out; those that are connected stay.
   *
   * @param pid of the restore that it is closed for
   */
  close(pid: number): Promise<DoorState>;
  /** @throws OperationError with the statement that puts it back, where nobody could be reached to do so */
  open(): Promise<void>;
}

/** Whose door. */
export interface DoorOptions {
  readonly connection: Connection;
  readonly url: string;
  /** How the guard connects. */
  readonly psql: PsqlOptions;
}

interface Facts {
  readonly database: string;
  readonly limit: number;
  readonly mayAlter: boolean;
}

/** The door of the database of `connection`, which is the owner's and superusers' to close. */
export async function findDoor(options: DoorOptions): Promise<Door> {
  const { connection, url, psql } = options;
  const { database, limit, mayAlter } = await readFacts(connection);
  const name = quoteIdentifier(database);
  const putBack = `alter database ${name} with allow_connections true connection limit ${limit}`;
  let guard: Psql | undefined;
  return {
    putBack,
    close: async (pid) => {
      if (!mayAlter) return 'open';
      guard = startGuard(psql, [
        `do $end$ begin perform pg_terminate_backend(${pid}, 5000); end $end$`,
        putBack,
      ]);
      await guard.ask('set client_min_messages = error;');
      if (await fromOutside(connection, url, `alter database ${name} with allow_connections false`)) {
        return 'closed';
      }
      await connection.execute(`alter database ${name} with connection limit 0`);
      return 'limited';
    },
    open: async () => {
      if (guard === undefined) return;
      try {
        await connection.execute(putBack);
      } catch (error) {
        if (!(await fromOutside(connection, url, putBack)) && !(await openByGuard(guard)))
          throw leftClosed(database, putBack, error);
      } finally {
        // Also where nobody could: this process does not end before it has.
        await guard.kill();
      }
    },
  };
}

async function readFacts(connection: Connection): Promise<Facts> {
  const [facts] = await connection.query<Facts>(
    `select datname::text as database, datconnlimit as "limit",
            pg_has_role(datdba, 'usage') or (select rolsuper from pg_roles where rolname = current_user) as "mayAlter"
     from pg_database where datname = current_database()`,
  );
  if (facts === undefined) throw new Error('a session has a database');
  return facts;
}

/**
 * A psql that waits for this process to end. Where it is killed, the guard ends the restore, which could be in a long
 * statement, and lets services in again. It must not print: nobody would read it, which ends a program. Neither Ctrl-C nor the end of the work is for it: those are seen to here.
 */
const startGuard = (psql: PsqlOptions, atEnd: readonly string[]): Psql =>
  startPsql({ ...psql, signal: undefined, detached: true, atEnd });

/** A guard whose line is dead would wait for ever. */
const guardPatienceMs = 5_000;

/** Its session may have outlived ours: what it waits to do at our end, it does now. */
const openByGuard = (guard: Psql): Promise<boolean> =>
  Promise.race([
    guard.end().then(
      () => true,
      () => false,
    ),
    sleep(guardPatienceMs, false, { ref: false }),
  ]);

/** PostgreSQL refuses to close a database from within: tried from another one of the server that this role may enter. */
async function fromOutside(connection: Connection, url: string, statement: string): Promise<boolean> {
  for (const database of await listOthers(connection)) {
    try {
      await using other = await openConnection(withDatabase(url, database));
      await other.execute(statement);
      return true;
    } catch (error) {
      // pg_hba.conf may keep this role out of it; the next one may do.
      if (!(error instanceof OperationError)) throw error;
    }
  }
  return false;
}

async function listOthers(connection: Connection): Promise<readonly string[]> {
  try {
    const rows = await connection.query<{ name: string }>(
      `select datname::text as name from pg_database
       where datallowconn and datname <> current_database() and has_database_privilege(oid, 'connect')
       order by datname <> 'postgres', datistemplate, datname
       limit 3`,
    );
    return rows.map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    // Asked on a connection that is lost: these are on nearly every server.
    return ['postgres', 'template1'];
  }
}

function leftClosed(database: string, statement: string, cause: unknown): OperationError {
  return new OperationError({
    code: 'CONNECTION_LOST',
    message: `the database ${database} still takes no new connections: they were kept out for the restore, and the server can’t be reached to let them in (${cause instanceof Error ? cause.message : String(cause)})`,
    advice: `When the server is back, run, in any other database of it: ${statement};`,
  });
}
