import type { Connection } from './connection.ts';

/** A setting of a session, as `current_setting` words it. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** What a session may set, as it is now. */
export function readSettings(connection: Connection): Promise<Setting[]> {
  return connection.query<Setting>(
    `select name, current_setting(name) as value
     from pg_settings
     where context in ('user', 'superuser')
       and name not in ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')`,
  );
}

/** Puts back what has changed since: a file that breaks off leaves its settings behind, and the session may go on. */
export async function restoreSettings(connection: Connection, settings: readonly Setting[]): Promise<void> {
  const before = new Map(settings.map(({ name, value }) => [name, value]));
  for (const { name, value } of await readSettings(connection)) {
    const valueBefore = before.get(name) ?? value;
    if (valueBefore !== value)
      await connection.query('select set_config($1, $2, false)', [name, valueBefore]);
  }
}
