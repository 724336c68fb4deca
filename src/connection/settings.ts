import type { Connection } from './connection.ts';

/** A setting of a session, as `current_setting` words it. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** Was it set in this session? Else it comes from the server, the database or the role. */
  readonly isOwn: boolean;
}

/** What a session may set, as it is now. */
export function readSettings(connection: Connection): Promise<Setting[]> {
  return connection.query<Setting>(
    `select name, current_setting(name) as value, source = 'session' as "isOwn"
     from pg_settings
     where context in ('user', 'superuser')
       and name not in ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')`,
  );
}

/** Puts back what has changed since: a file that breaks off leaves its settings behind, and the session may go on. */
export async function restoreSettings(connection: Connection, settings: readonly Setting[]): Promise<void> {
  const before = new Map(settings.map(({ name, value }) => [name, value]));
  for (const { name, value, isOwn } of await readSettings(connection)) {
    // What was not there is a setting that a file has made up; it can't be taken away any more, but emptied.
    const valueBefore = before.get(name) ?? (isOwn ? '' : value);
    if (valueBefore !== value)
      await connection.query('select set_config($1, $2, false)', [name, valueBefore]);
  }
}
