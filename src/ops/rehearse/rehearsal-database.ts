import type { Connection } from '../../connection/connection.ts';
import { createDatabase } from '../../connection/create-database.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier, quoteLiteral } from '../../connection/identifiers.ts';
import { openConnection } from '../../connection/open.ts';
import { cancelOnAbort, liftTimeLimits, type WorkOptions } from '../../connection/session.ts';

/** The comment by which a database is known as ours to drop. */
export const rehearsalMark = 'multi-pair-db rehearsal';

/** PostgreSQL cuts longer names off, and would then mean another database. */
const longestNameBytes = 63;

/** @throws OperationError `REFUSED` where the name would be too long for PostgreSQL */
export function nameRehearsal(database: string): string {
  const name = `${database}_rehearsal`;
  if (Buffer.byteLength(name) <= longestNameBytes) return name;
  throw new OperationError({
    code: 'REFUSED',
    message: `${name} is too long for the name of a database (${longestNameBytes} bytes); nothing was changed`,
    advice: 'Restore a backup by hand into a database with a short name, and migrate that one.',
  });
}

/**
 * Creates an empty database for a rehearsal. One of that name that an earlier rehearsal has left is dropped; any other
 * one stays, whatever is in it.
 *
 * @param on URL of a database on the server
 * @throws OperationError `REFUSED` there is one that is not ours · `LOCKED` a rehearsal is going on in it ·
 *   `PRIVILEGE_MISSING` the role may not create databases
 */
export async function createRehearsalDatabase(on: string, name: string, options: WorkOptions): Promise<void> {
  await using connection = await openConnection(on, { signal: options.signal });
  await using _limits = await liftTimeLimits(connection);
  using _cancel = cancelOnAbort(connection, options);
  const found = await findMark(connection, name);
  if (found !== undefined) {
    if (found !== rehearsalMark) throw notOurs(name, connection.target);
    await dropLeft(connection, name);
    options.onProgress?.(`${name} was of an earlier rehearsal, and is dropped`);
  }
  // Whatever a site has put into template1 is in the backup as well.
  await createDatabase(connection, name, 'template0');
  try {
    await connection.execute(
      `comment on database ${quoteIdentifier(name)} is ${quoteLiteral(rehearsalMark)}`,
    );
  } catch (error) {
    await connection.execute(`drop database ${quoteIdentifier(name)}`);
    throw error;
  }
}

/** Drops it, if it is still one of ours, in a session of its own: the others may have been cut off. */
export async function dropRehearsalDatabase(on: string, name: string): Promise<void> {
  await using connection = await openConnection(on);
  await using _limits = await liftTimeLimits(connection);
  const found = await findMark(connection, name);
  if (found === undefined) return;
  if (found !== rehearsalMark) throw notOurs(name, connection.target);
  // A program that was told to stop may not be gone yet.
  await connection.execute(`drop database ${quoteIdentifier(name)} with (force)`);
}

const inUse = '55006';

/** Not by force: who is in it rehearses, or looks at what he has kept. */
async function dropLeft(connection: Connection, name: string): Promise<void> {
  // PostgreSQL would wait five seconds for them to leave. Of other roles it does not tell what kind of backend they are.
  const [row] = await connection.query<{ isInUse: boolean }>(
    `select exists (
       select from pg_stat_activity
       where datname = $1 and coalesce(backend_type, 'client backend') = 'client backend'
     ) as "isInUse"`,
    [name],
  );
  if (row?.isInUse === true) throw goingOn(name);
  await connection.execute(`drop database ${quoteIdentifier(name)}`).catch((error: unknown) => {
    throw error instanceof OperationError && error.sqlState === inUse ? goingOn(name) : error;
  });
}

/** The comment of a database, empty where it has none; undefined: there is no such database. */
async function findMark(connection: Connection, name: string): Promise<string | undefined> {
  const [row] = await connection.query<{ mark: string | null }>(
    `select shobj_description(oid, 'pg_database') as mark from pg_database where datname = $1`,
    [name],
  );
  return row === undefined ? undefined : (row.mark ?? '');
}

const notOurs = (name: string, target: string): OperationError =>
  new OperationError({
    code: 'REFUSED',
    message: `the server of ${target} has a database ${name} that is no rehearsal of this program; it was not touched`,
    advice: `Rename it, or rehearse on another server (--on URL). If it may go: drop database ${quoteIdentifier(name)};`,
  });

const goingOn = (name: string): OperationError =>
  new OperationError({
    code: 'LOCKED',
    message: `somebody is connected to ${name}: a rehearsal is going on, or one that was kept is looked at; nothing was changed`,
    advice: `Wait until it has ended. Who it is: select pid, usename, application_name from pg_stat_activity where datname = ${quoteLiteral(name)};`,
  });
