import type { Connection } from './connection.ts';

/** Identifies the cluster whatever it is called. Some managed services keep it to themselves. */
export async function findSystemIdentifier(connection: Connection): Promise<string | null> {
  const [permitted] = await connection.query<{ permitted: boolean }>(
    "select has_function_privilege('pg_control_system()', 'execute') as permitted",
  );
  if (permitted?.permitted !== true) return null;
  const [row] = await connection.query<{ id: string }>(
    'select system_identifier::text as id from pg_control_system()',
  );
  return row?.id ?? null;
}

/** Which database it is, whatever its server is called. */
export interface DatabaseIdentity {
  /** `current_database()` */
  readonly name: string;
  /** The cluster's own id; null where the role may not read it. */
  readonly systemIdentifier: string | null;
}

export async function readIdentity(connection: Connection): Promise<DatabaseIdentity> {
  const [row] = await connection.query<{ name: string }>('select current_database()::text as name');
  return { name: row?.name ?? '', systemIdentifier: await findSystemIdentifier(connection) };
}
